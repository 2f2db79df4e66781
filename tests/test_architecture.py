"""House rules: importing is light, data flows one way, nothing from outside is evaluated."""

import ast
import subprocess
import sys
from pathlib import Path

import gradtheory as gt

_PACKAGE = Path(gt.__file__).parent
# Each wing may import from the wings before it, and from itself.
_ORDER = (
    "errors",
    "typing",
    "arithmetic",
    "activations",
    "checker",
    "chains",
    "explosion",
    "random_weights",
    "training",
    "testing",
    "document",
    "derivation",
    "plots",
    "pages",
    "cli",
)


def _rooms():
    for path in sorted(_PACKAGE.rglob("*.py")):
        room = path.relative_to(_PACKAGE).parts[0].removesuffix(".py")
        if room != "__init__":
            yield room, ast.parse(path.read_text(encoding="utf-8"))


def _imported(tree):
    for node in ast.walk(tree):
        names = (
            [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        for name in names:
            if name.startswith("gradtheory."):
                yield name.split(".")[1]


def test_every_room_has_its_place():
    assert {room for room, _ in _rooms()} == set(_ORDER)


def test_data_flows_one_way():
    for room, tree in _rooms():
        allowed = {*_ORDER[: _ORDER.index(room) + 1], "__version__"}
        if room == "typing":
            allowed.add("activations")  # names the type of a record, and imports it for type checkers only
        assert set(_imported(tree)) <= allowed, f"{room} imports {set(_imported(tree)) - allowed}"


def test_only_the_enclosure_touches_flint():
    for room, tree in _rooms():
        modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert "flint" not in modules or room == "arithmetic"


def test_nothing_is_evaluated_from_text():
    forbidden = {"eval", "exec", "compile", "parse_expr"}
    for room, tree in _rooms():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                owner = getattr(getattr(node.func, "value", None), "id", "")
                assert name not in forbidden or owner == "re", f"{name} in {room}"
                strict = "strict=True" in map(ast.unparse, node.keywords)
                assert name != "sympify" or strict, f"sympify in {room} would run a text"


def test_importing_loads_nothing_heavy():
    program = "import sys, gradtheory; print([m for m in ('sympy', 'numpy', 'scipy', 'matplotlib', 'flint') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_every_public_name_resolves():
    assert {"activation", "Chain", "explosion_set", "widest_explosion", "plots"} <= set(gt.__all__)
    for name in gt.__all__:
        assert getattr(gt, name) is not None
    assert set(gt.__all__) <= set(dir(gt))
