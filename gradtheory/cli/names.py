"""Names that the package's sources state, read without importing them: help and completion load no SymPy."""

import ast
import functools
from collections.abc import Iterable, Iterator
from importlib.resources import files


def activations() -> tuple[str, ...]:
    """Return the names in the catalogue: of records, and of families, each a decorated function."""
    folder = files("gradtheory.activations").joinpath("catalogue")
    modules = sorted(path.name for path in folder.iterdir() if path.name.endswith(".py"))
    return tuple(sorted(name for module in modules for name in _records(_body(f"activations/catalogue/{module}"))))


def topics() -> tuple[str, ...]:
    """Return the topics of derivations."""
    table = next(node for node in ast.walk(_value("derivation/topics/__init__.py", "TOPICS")) if isinstance(node, ast.Dict))
    return _words(table.keys)


def facts() -> tuple[str, ...]:
    """Return the named facts."""
    return _firsts(_value("derivation/facts.py", "_ALL"), "Fact")


def optimisers() -> tuple[str, ...]:
    """Return the optimisers."""
    return _firsts(_value("training/optimisers/catalogue.py", "RULES"), "Rule")


def methods() -> tuple[str, ...]:
    """Return how the ends of explosion sets may be found."""
    return _words(ast.walk(_value("explosion/superlevel/superlevel_set.py", "METHODS")))


def plots() -> dict[str, ast.FunctionDef]:
    """Return the functions of `gradtheory.plots`, by name, in the order of their files."""
    path = "plots/__init__.py"
    public = _words(ast.walk(_value(path, "__all__")))
    modules = [node.module or "" for node in _body(path) if isinstance(node, ast.ImportFrom)]
    bodies = (_body(f"{module.removeprefix('gradtheory.').replace('.', '/')}.py") for module in modules)
    functions = (node for body in bodies for node in body if isinstance(node, ast.FunctionDef))
    return {node.name: node for node in functions if node.name in public}


@functools.cache
def _body(path: str) -> list[ast.stmt]:
    return ast.parse(files("gradtheory").joinpath(*path.split("/")).read_text(encoding="utf-8")).body


def _value(path: str, name: str) -> ast.expr:
    """Return what a module assigns to a name."""
    for node in _body(path):
        targets = [node.target] if isinstance(node, ast.AnnAssign) else getattr(node, "targets", [])
        if name in [getattr(target, "id", "") for target in targets]:
            return node.value  # type: ignore[attr-defined,no-any-return]  # an assignment has one
    raise LookupError(f"{path} assigns nothing to {name}")


def _words(nodes: Iterable[ast.AST | None]) -> tuple[str, ...]:
    """Return the texts among some nodes."""
    return tuple(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def _firsts(value: ast.expr, name: str) -> tuple[str, ...]:
    """Return the first arguments of the calls of one name, in the order in which they stand."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]
    return _words(call.args[0] for call in calls)


def _records(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.FunctionDef) and "Family" in map(ast.unparse, node.decorator_list):
            yield node.name
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) and not _is_private(node.targets[0]):
            named = [word.value for word in node.value.keywords if word.arg == "name"]
            yield from _words([*named, *node.value.args])[:1]


def _is_private(target: ast.expr) -> bool:
    return ast.unparse(target).startswith("_")
