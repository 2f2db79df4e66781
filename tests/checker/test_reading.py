"""Certificates are read strictly, and hostile ones end."""

import ast
import copy
import json
from pathlib import Path

import pytest

import gradtheory as gt
from gradtheory import checker
from gradtheory.errors import InvalidArgument
from tests.checker.certificates import VALID, cell, certificate, component
from tests.checker.test_checker import changed
from tests.shapes import slow_except

_PACKAGE = Path(gt.__file__).parent / "checker"


def fields(data, path=()):
    """Yield the path and value of every field."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from fields(value, (*path, key))


# -- what is malformed

_OPTIONAL = {("claim", "activation"), ("claim", "bias")}


_NOTES = {"limit", "assumes"}  # any text, never read


@pytest.mark.parametrize("key", slow_except(("weight 0",), ("weight 0", "gelu", "user's piecewise")))
def test_every_field_is_needed_and_has_its_type(key):
    data = VALID[key]
    for path, value in fields(data):
        if isinstance(path[-1], str):
            *outer, last = path
            without = copy.deepcopy(data)
            inner = without
            for name in outer:
                inner = inner[name]
            del inner[last]
            assert checker.check(without).reason.startswith("rejected: "), path
        for wrong in (None, 1.5, 2, True, [], {}, "", "nonsense", "z+", "(" * 90, object()):
            if wrong == value or path in _OPTIONAL or (path[-1] in _NOTES and isinstance(wrong, str)):
                continue
            report = checker.check(changed(data, path, wrong))
            assert not report.ok, (path, wrong)


def test_unknown_fields_are_refused():
    assert checker.check(VALID["relu"] | {"more": 1}).reason.startswith(
        "rejected: certificate must be an object with the fields"
    )
    for nothing in (None, 1, "text", [], {}, object()):
        assert not checker.check(nothing).ok


@pytest.mark.parametrize(
    "weight",
    [
        "1 - erf(1000) + exp(-1000000)",
        "(1 - erf(500*sqrt(2)))/2 - 500*sqrt(2)*exp(-500000)/sqrt(pi)",
        "exp(-10**5) + sin(1)**2 + cos(1)**2 - 1",
    ],
)
def test_a_weight_too_close_to_0_to_decide_is_undecided_soon(weight):
    report = checker.check(changed(VALID["weight 0"], ("claim", "weight"), weight))
    assert report.reason == "undecided: a sign is not decided at 1083 digits"


def test_a_maximum_of_thousands_is_read_and_resolved():
    many = f"Max({', '.join(['z'] * 3_000)})"
    data = certificate(None, many, "2", [cell("-oo", "oo", "z", 1)], [], [component("-oo", "oo")])
    assert checker.check(data).ok
    isolated = certificate(
        None, many, "2", [cell("-oo", ["-1", "1"], "z", 1), cell(["-1", "1"], "oo", "2*z", 1)], [], []
    )
    assert checker.check(isolated).reason.startswith("rejected: cells[0].right: no simple zero")


@pytest.mark.slow
def test_hostile_certificates_end():
    texts = (
        "exp(exp(exp(exp(exp(z)))))",
        "sinh(exp(-exp(exp(exp(9)))))*z",
        "z**999 - (z + 1)**999",
        "sin(10**300*z)",
        "log(log(log(z)))",
        "exp(10**999)*z",
        "(z + exp(z) + exp(z**2) + sin(z) + erf(z) + atan(z))**12",
        "tan(1/z)",
        "sqrt(2 + sqrt(3 + sqrt(5 + sqrt(7 + z))))",
        "z*sin(1/z)",
        "+".join(f"exp(z*{k})" for k in range(50)),
    )
    for text in texts:
        for shape in ("z", text):
            data = certificate(None, text, "2", [cell("-oo", "oo", text, 1, True, "1", shape)], [], [])
            assert not checker.check(data).ok
        flat = certificate(None, text, f"({text})".replace("z", "3"), [cell("-oo", "oo", text, 1)], [], [])
        assert checker.check(flat).ok == text.startswith("sinh(exp(-")  # a slope so small that 3 of it do not reach 1
    many = [
        cell("-oo", "1", "z", 1),
        *(cell(str(k), str(k + 1), "z", 1) for k in range(1, 990)),
        cell("990", "oo", "z", 1),
    ]
    assert checker.check(certificate(None, "z", "2", many, [], [component("-oo", "oo")])).ok
    assert not checker.check(certificate(None, "z", "2", many * 2, [], [component("-oo", "oo")])).ok


def test_files_are_read_or_refused_in_one_line(tmp_path):
    path = tmp_path / "certificate.json"
    path.write_text(json.dumps(VALID["gelu"]), encoding="utf-8")
    assert checker.read(path) == checker.read(str(path)) == VALID["gelu"]
    for content in (
        b"",
        b"{",
        b"[]",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b"\xff",
        b"[" * 100_000,
        b"1" * 5_000,
        b'"' + b"x" * 10_000_000 + b'"',
    ):
        path.write_bytes(content)
        with pytest.raises(InvalidArgument) as error:
            checker.read(path)
        assert "\n" not in str(error.value)
        assert str(error.value).startswith("path = '/")
    for nowhere in (tmp_path / "none", tmp_path, None, "\0"):
        with pytest.raises(InvalidArgument):
            checker.read(nowhere)


# -- independence


def test_the_checker_shares_nothing_with_the_solver():
    allowed = {"gradtheory.errors", "gradtheory.activations", "gradtheory.checker", "mpmath", "sympy"}
    names = {
        "ast",
        "collections",
        "contextlib",
        "dataclasses",
        "fractions",
        "functools",
        "html",
        "itertools",
        "json",
        "math",
        "pathlib",
        "re",
        "typing",
    }
    for path in _PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = (
                [node.module]
                if isinstance(node, ast.ImportFrom)
                else [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else []
            )
            for module in modules:
                assert module is not None, f"{path.name} imports relatively"
                top = ".".join(module.split(".")[:2]) if module.startswith("gradtheory") else module.split(".")[0]
                assert top in allowed | names, f"{path.name} imports {module}"
                assert top != "gradtheory.activations" or [alias.name for alias in node.names] == ["activation"]
        assert "flint" not in path.read_text(encoding="utf-8")
