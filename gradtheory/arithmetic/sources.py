"""What the package's own sources state, read without importing them: so that a program starts at once."""

import ast
import functools
from collections.abc import Iterable, Mapping
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]


@functools.cache
def text_of(path: str) -> str:
    """Return the source of a module, such as "plots/axes.py"."""
    return (_PACKAGE / path).read_text(encoding="utf-8")


@functools.cache
def statements(path: str) -> tuple[ast.stmt, ...]:
    """Return the statements of a module."""
    return tuple(ast.parse(text_of(path)).body)


@functools.cache
def modules(folder: str) -> tuple[str, ...]:
    """Return the paths of the modules in a folder, by name."""
    names = (path.name for path in (_PACKAGE / folder).iterdir())
    return tuple(f"{folder}/{name}" for name in sorted(names) if name.endswith(".py"))


def value_of(path: str, name: str) -> ast.expr:
    """Return what a module assigns to a name.

    Examples
    --------
    >>> texts(ast.walk(value_of("explosion/superlevel/superlevel_set.py", "METHODS")))
    ('auto', 'closed_form', 'certified')

    """
    for node in statements(path):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        value = getattr(node, "value", None)
        if isinstance(value, ast.expr) and name in [getattr(target, "id", "") for target in targets]:
            return value
    raise LookupError(f"{path} assigns nothing to {name}")


def texts(nodes: Iterable[ast.AST | None]) -> tuple[str, ...]:
    """Return the texts among some nodes."""
    return tuple(node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))


def first_arguments(value: ast.expr, name: str) -> tuple[str, ...]:
    """Return the first arguments of the calls of one name, in the order in which they stand."""
    calls = [node for node in ast.walk(value) if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name]
    return texts(call.args[0] for call in calls)


@functools.cache
def activations() -> Mapping[str, str]:
    """Return the names in the catalogue of activations, each with the path of the module that defines it."""
    places: dict[str, str] = {}
    for path in modules("activations/catalogue"):
        for name in _records(path):
            if name in places:
                raise ValueError(f"two activations are called {name!r}: in {places[name]} and in {path}")
            places[name] = path
    return dict(sorted(places.items()))


@functools.lru_cache(maxsize=1024)  # names come from outside
def module_of_activation(name: str) -> str | None:
    """Return the path of the module that defines one activation, or None: the others are not parsed."""
    likely = [path for path in modules("activations/catalogue") if _mentions(path, name)]
    return next((path for path in likely if name in _records(path)), None)


def _mentions(path: str, name: str) -> bool:
    text = text_of(path)
    return f'"{name}"' in text or f"def {name}(" in text


@functools.cache
def _records(path: str) -> tuple[str, ...]:
    """Return what a module of the catalogue defines: records, and families, each a decorated function."""
    return tuple(name for node in statements(path) for name in _defined(node))


def _defined(node: ast.stmt) -> tuple[str, ...]:
    if isinstance(node, ast.FunctionDef):
        return (node.name,) if "Family" in map(ast.unparse, node.decorator_list) else ()
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return ()
    named = [word.value for word in node.value.keywords if word.arg == "name"]
    return () if ast.unparse(node.targets[0]).startswith("_") else texts([*named, *node.value.args])[:1]
