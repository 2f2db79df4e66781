"""House rules: importing is light, data flows one way, nothing from outside is evaluated."""

import ast
import importlib
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import gradtheory as gt

_PACKAGE = Path(gt.__file__).parent
# Each wing may import from the wings before it, and from itself.
_ORDER = (
    "errors",
    "typing",
    "arithmetic",
    "formulas",
    "activations",
    "checker",
    "chains",
    "networks",
    "explosion",
    "random_weights",
    "sweeps",
    "training",
    "testing",
    "document",
    "derivation",
    "plots",
    "audits",
    "pages",
    "explorer",
    "cli",
)
# Seven sentences that the order alone does not say, or says without their meaning.
_NEVER = (
    ("chains", "explosion"),  # gradients are derived without knowing where they explode
    ("checker", "explosion"),  # a proof is checked without the program that wrote it
    ("explosion", "random_weights"),  # a set is one of numbers, not of chances
    ("random_weights", "chains"),  # the laws of random weights do not rest on the chain that shows them
    ("testing", "explosion"),  # the oracle does not trust what it may be asked to judge
    ("arithmetic", "activations"),  # numbers know nothing of neurons
    ("derivation", "pages"),  # a derivation does not know where it is printed
)
_LONGEST_FILE = 300
_REASON = "# Above 300 lines: "


@cache
def _modules():
    """Return the package's modules by dotted name, without the package's own `__init__` and `__main__`."""
    own = {_PACKAGE / "__init__.py", _PACKAGE / "__main__.py"}
    paths = [path for path in sorted(_PACKAGE.rglob("*.py")) if path not in own]
    names = [".".join(path.relative_to(_PACKAGE).with_suffix("").parts).removesuffix(".__init__") for path in paths]
    return {name: path.read_text(encoding="utf-8") for name, path in zip(names, paths, strict=True)}


@cache
def _nodes():
    """Return the nodes of each module, and of them those outside functions."""
    trees = {name: ast.parse(text) for name, text in _modules().items()}
    return {name: (tuple(ast.walk(tree)), tuple(_outside_functions(tree))) for name, tree in trees.items()}


def _outside_functions(node):
    yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _outside_functions(child)


def _wing(module):
    return module.partition(".")[0]


def _imports(nodes):
    """Yield the modules of the package that some nodes import, the longest known name of each."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            module = name.removeprefix("gradtheory.")
            while module != name and module:
                if module in _modules():
                    yield module
                    break
                module = module.rpartition(".")[0]


def _imported_wings(wing):
    return {
        _wing(target) for module, (nodes, _) in _nodes().items() if _wing(module) == wing for target in _imports(nodes)
    }


def test_every_wing_has_its_place():
    assert {_wing(module) for module in _modules()} == set(_ORDER)


@pytest.mark.parametrize("wing", _ORDER)
def test_data_flows_one_way(wing):
    allowed = set(_ORDER[: _ORDER.index(wing) + 1])
    if wing == "typing":
        allowed.add("activations")  # names the type of a record, and imports it for type checkers only
    assert _imported_wings(wing) <= allowed


@pytest.mark.parametrize(("wing", "other"), _NEVER)
def test_some_wings_never_reach_others(wing, other):
    assert other not in _imported_wings(wing)


def test_no_modules_import_each_other_in_a_circle():
    """Imports inside functions do not count; those for type checkers do."""
    arrows = {
        module: {target for target in _imports(outside) if target != module and _wing(target) == _wing(module)}
        for module, (_, outside) in _nodes().items()
    }
    while ends := {module for module, targets in arrows.items() if not targets & arrows.keys()}:
        arrows = {module: targets for module, targets in arrows.items() if module not in ends}
    assert not arrows, f"in or behind a circle: {', '.join(arrows)}"


def test_only_the_enclosure_touches_flint():
    for module, (nodes, _) in _nodes().items():
        names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
        assert "flint" not in names or _wing(module) == "arithmetic"


def test_nothing_is_evaluated_from_text():
    """Nor is code generated: `lambdify` writes Python and runs it."""
    forbidden = {"eval", "exec", "compile", "parse_expr", "lambdify"}
    for module, (nodes, _) in _nodes().items():
        for node in nodes:
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                assert name not in forbidden or owner == "re", f"{name} in {module}"
                is_strict = name != "sympify" or "strict=True" in map(ast.unparse, node.keywords)
                assert is_strict, f"sympify in {module} would run a text"


def test_no_file_is_long_without_a_reason():
    for module, text in _modules().items():
        assert len(text.splitlines()) <= _LONGEST_FILE or _REASON in text[:1000], module


def test_names_say_what_things_are():
    """`found` says how a thing was come by; say what it is: a root, widths, a message."""
    for module, (nodes, _) in _nodes().items():
        for node in nodes:
            names = [getattr(node, field, None) for field in ("id", "arg", "attr", "name")]
            assert "found" not in names, f"{module}, line {node.lineno}"


def test_the_design_page_lists_the_wings():
    page = (_PACKAGE.parent / "docs" / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([\w/]+?)/?` \|", page, flags=re.MULTILINE)
    assert rows == [*_ORDER]


@pytest.mark.parametrize("page", ["docs/design.md", "docs/glossary.md", "CONTRIBUTING.md"])
def test_pages_name_files_that_are_there(page):
    root = _PACKAGE.parent
    paths = re.findall(r"`([\w/]+(?:\.py|/))`", (root / page).read_text(encoding="utf-8"))
    places = (root, _PACKAGE, *filter(Path.is_dir, _PACKAGE.iterdir()))
    assert paths
    assert not [path for path in paths if not any((place / path).exists() for place in places)]


def test_importing_loads_nothing_heavy():
    program = "import sys, gradtheory; print([m for m in ('sympy', 'numpy', 'scipy', 'matplotlib', 'flint') if m in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_every_public_name_resolves():
    assert {"activation", "Chain", "explosion_set", "widest_explosion", "plots"} <= set(gt.__all__)
    for name in gt.__all__:
        assert getattr(gt, name) is not None


def test_modules_list_their_public_names_only():
    modules = {name: value for name in gt.__all__ if isinstance(value := getattr(gt, name), ModuleType)}
    assert len(modules) >= 15
    for name, module in {"gradtheory": gt, **modules}.items():
        assert sorted(dir(module)) == sorted(module.__all__), name


@pytest.mark.slow
def test_public_names_are_there_whatever_else_was_imported():
    """A module that is no name of its package is only there once something has imported it."""
    stub = ast.parse((Path(gt.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    lines = [line for line in ast.walk(stub) if isinstance(line, ast.ImportFrom) and line.level == 1 and line.module]
    origins = [(importlib.import_module(f"gradtheory.{line.module}"), line.names[0].name) for line in lines]
    hidden = [name for module, name in origins if hasattr(module, "__path__") and name not in module.__all__]
    assert len(hidden) < 5
    for name in hidden:
        subprocess.run([sys.executable, "-c", f"import gradtheory; gradtheory.{name}"], check=True)
