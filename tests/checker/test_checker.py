"""The checker of certificates: true ones pass, whatever is changed in them is noticed, and nothing from outside harms."""

import ast
import copy
import json
from fractions import Fraction
from pathlib import Path

import pytest
import sympy

import gradtheory as gt
from gradtheory import checker
from gradtheory.errors import InvalidArgument
from tests.checker.certificates import NOTHING_BEYOND, VALID, cell, certificate, component, cross, crossing, joint
from tests.shapes import slow_except

_PACKAGE = Path(gt.__file__).parent / "checker"


def changed(data, path, value):
    """Return a copy with one field, named by its path, set to another value."""
    result = copy.deepcopy(data)
    *outer, last = path
    inner = result
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return result


def fields(data, path=()):
    """Yield the path and value of every field."""
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key), value
        if isinstance(value, dict | list):
            yield from fields(value, (*path, key))


def moved(end):
    if isinstance(end, list):
        return [str(Fraction(each) + Fraction(1, 9)) for each in end]
    return f"({end}) + 1/9"


# -- what is true


@pytest.mark.parametrize("key", VALID)
def test_true_certificates_are_verified(key):
    report = checker.check(VALID[key])
    assert report.ok, report.reason
    assert report.reason is None
    left, right = VALID[key]["domain"]
    is_whole = VALID[key]["status"] == "proven"
    beyond = f"verified on [{left}, {right}]; nothing is claimed beyond"
    assert report.verdict == ("verified on the whole line" if is_whole else beyond)


def test_certificates_outlive_json():
    assert checker.check(json.loads(json.dumps(VALID["silu"]))) == checker.Report(True, "verified on the whole line")


def test_long_brackets_and_redundant_cells_are_fine():
    narrow = copy.deepcopy(VALID["gelu"])
    root = sympy.nsolve(gt.activation("gelu").slope_expr - sympy.Rational(1, 12), -0.6, prec=420)
    middle = Fraction(int(root * 10**400), 10**400)
    narrow["crossings"][2] |= {"lower": str(middle - Fraction(2, 10**400)), "upper": str(middle + Fraction(2, 10**400))}
    assert checker.check(narrow).ok
    split = copy.deepcopy(VALID["sigmoid"])
    far = copy.deepcopy(split["cells"][1])
    split["cells"][1]["right"] = far["left"] = "50"
    split["cells"].append(far)
    assert checker.check(split).ok


def test_an_expression_that_is_no_piece_by_sight_is_proven_to_be_one():
    long = "z + " + " + ".join(f"(sin({k}*z)**2 + cos({k}*z)**2)" for k in range(1, 20))
    cells, parts = [cell("0", "1", "z + 19", 1)], [component(joint(-1), joint(0))]
    finite = {"domain": ["0", "1"], "tails": NOTHING_BEYOND, "status": "proven on the domain"}
    assert checker.check(certificate(None, long, "2", cells, [], parts, **finite)).ok
    far = certificate(None, f"{long} + exp(100*(z - 20))", "2", cells, [], parts, **finite)
    assert checker.check(far).reason in {
        "undecided: cells[0].piece is σ: not proven",
        "rejected: cells[0].piece is σ: false",
    }


# -- what is false


def tampered(data):
    """Yield changes that make a true certificate false, each with a name."""
    yield from tampered_claim(data)
    yield from tampered_set(data)
    yield from tampered_cells(data)


def tampered_claim(data):
    claim = data["claim"]
    yield "expression", changed(data, ("claim", "expression"), f"2*({claim['expression']})")
    yield (
        "expression and name",
        changed(
            changed(data, ("claim", "expression"), f"({claim['expression']}) + z/9"), ("claim", "activation"), None
        ),
    )
    yield "activation", changed(data, ("claim", "activation"), "identity")
    yield "unknown activation", changed(data, ("claim", "activation"), "__class__")
    yield "threshold of 0", changed(data, ("claim", "threshold"), "0")
    yield "domain", changed(data, ("domain", 0), "-100")
    yield "status", changed(data, ("status",), "proven on the domain" if data["status"] == "proven" else "proven")
    other = NOTHING_BEYOND["left"] if data["status"] == "proven" else {"argument": "monotone"}
    yield "tail", changed(data, ("tails", "left"), other)
    if data["crossings"]:
        yield "weight", changed(data, ("claim", "weight"), f"({claim['weight']})*101/100")
        yield "threshold", changed(data, ("claim", "threshold"), f"({claim['threshold']})*99/100")
        yield "strict", changed(data, ("claim", "strict"), not claim["strict"])


def tampered_set(data):
    for i, crossing_ in enumerate(data["crossings"]):
        for shift in (Fraction(-1, 8), Fraction(1, 8)):
            off = crossing_ | {side: str(Fraction(crossing_[side]) + shift) for side in ("lower", "upper")}
            yield f"crossing {i} moved by {shift}", changed(data, ("crossings", i), off)
        yield (
            f"crossing {i} left out",
            changed(data, ("crossings",), [*data["crossings"][:i], *data["crossings"][i + 1 :]]),
        )
        yield f"crossing {i} twice", changed(data, ("crossings",), [*data["crossings"], crossing_])
        for j in {-1, len(data["cells"]), crossing_["cell"] + 1}:
            yield f"crossing {i} in cell {j}", changed(data, ("crossings", i, "cell"), j)
    for i, component_ in enumerate(data["components"]):
        for side in ("lower", "upper"):
            yield (
                f"component {i} {side}_open",
                changed(data, ("components", i, f"{side}_open"), not component_[f"{side}_open"]),
            )
            for bound in ("-oo", "oo", cross(0), joint(0)):
                if bound != component_[side]:
                    yield f"component {i} {side} at {bound}", changed(data, ("components", i, side), bound)
        yield (
            f"component {i} left out",
            changed(data, ("components",), [*data["components"][:i], *data["components"][i + 1 :]]),
        )
        yield f"component {i} twice", changed(data, ("components",), [*data["components"], component_])
    yield (
        "components reversed and one more",
        changed(data, ("components",), [component("-oo", joint(0)), *data["components"][::-1]]),
    )


def tampered_cells(data):
    cells = data["cells"]
    for i, cell_ in enumerate(cells):
        yield f"cell {i} left out", changed(data, ("cells",), [*cells[:i], *cells[i + 1 :]])
        yield f"cell {i} twice", changed(data, ("cells",), [*cells[: i + 1], *cells[i:]])
        yield f"piece {i} raised", changed(data, ("cells", i, "piece"), f"{cell_['piece']} + 1/10**9")
        yield f"piece {i} turned", changed(data, ("cells", i, "piece"), f"{cell_['piece']} + z/10**9")
        for sign in {-1, 0, 1} - {cell_["sign"]}:
            yield f"sign {i} as {sign}", changed(data, ("cells", i, "sign"), sign)
        for side in ("left", "right"):
            yield (
                f"{side} of {i} moved alone",
                changed(data, ("cells", i, side), moved(cell_[side]) if "oo" not in cell_[side] else "1000"),
            )
        if i + 1 < len(cells):
            exchanged = [*cells[:i], cells[i + 1], cell_, *cells[i + 2 :]]
            yield f"cells {i} and {i + 1} exchanged", changed(data, ("cells",), exchanged)
            both = changed(data, ("cells", i, "right"), moved(cell_["right"]))
            yield f"end {i} moved", changed(both, ("cells", i + 1, "left"), moved(cell_["right"]))
        if cell_["shape"] is None:
            yield f"rises {i} given", changed(data, ("cells", i, "rises"), True)
            yield (
                f"shape {i} given",
                changed(data, ("cells", i), cell_ | {"rises": True, "positive": "1", "shape": "0"}),
            )
            continue
        yield f"rises {i}", changed(data, ("cells", i, "rises"), not cell_["rises"])
        yield f"rises {i} null", changed(data, ("cells", i, "rises"), None)
        yield (
            f"said constant {i}",
            changed(data, ("cells", i), cell_ | {"rises": None, "positive": None, "shape": None}),
        )
        yield f"shape {i}", changed(data, ("cells", i, "shape"), f"({cell_['shape']})*(1 + 1/10**20)")
        yield f"positive {i}", changed(data, ("cells", i, "positive"), f"({cell_['positive']}) + 1/10**9")
        negated = cell_ | {name: f"-({cell_[name]})" for name in ("positive", "shape")}
        yield f"positive {i} negative", changed(data, ("cells", i), negated)
        yield (
            f"sign and rises {i}",
            changed(data, ("cells", i), cell_ | {"sign": -cell_["sign"], "rises": not cell_["rises"]}),
        )


_QUICK = (
    "hard sigmoid",
    "tanh, strict",
    "elu, at its slope, not strict",
    "leaky",
    "user's root",
    "weight 0",
)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("key", slow_except(_QUICK, sorted(VALID.keys() - {"user's wave"})))
def test_tampering_is_noticed(key):
    count = 0
    for name, data in tampered(VALID[key]):
        report = checker.check(data)
        assert not report.ok, f"{key}: {name} was not noticed"
        assert report.reason.startswith(("rejected: ", "undecided: ")), name
        assert "\n" not in report.reason
        count += 1
    assert count > 20


_PROVEN_ON = {"domain": ["-1", "2"], "status": "proven on the domain"}
_FINITE = _PROVEN_ON | {"tails": NOTHING_BEYOND}
_DOWN, _UP = (
    {"positive": "-2*sech(z)**2", "shape": "tanh(z)", "rises": False},
    {"positive": "-2*sech(z)**2", "shape": "tanh(z)", "rises": True},
)
_TANH = VALID["tanh, strict"]["cells"]
_HIDDEN = "z**7/42 - z**2/2"  # its second derivative is z**5 - 1, which for negative z is -(z²)^(5/2) - 1
_JUMPS = "atan((1 + z)/(1 - z))"  # atan(z), except for a jump at 1

_FALSE = {
    "a pole inside": certificate(
        None,
        "1/z",
        "1",
        [cell("-1", "2", "1/z", -1, True, "2/z**2", "1/z")],
        [],
        [component(joint(-1), joint(0))],
        **_FINITE,
    ),
    "a pole of the tangent inside": certificate(
        None,
        "tan(z)",
        "1",
        [cell("-1", "2", "tan(z)", 1, True, "2*(1 + tan(z)**2)", "tan(z)")],
        [],
        [component(joint(-1), joint(0))],
        **_FINITE,
    ),
    "a hidden switch": certificate(
        None, "z**7/42", "1", [cell("-1", "2", "z**7/42", 1, True, "1", "z**4*sqrt(z**2)")], [], [], **_FINITE
    ),
    "a hidden switch in the piece": certificate(
        None, "Abs(z)", "1", [cell("-1", "2", "sqrt(z**2)", 1)], [], [], **_FINITE
    ),
    "a hidden switch far from the points compared": certificate(
        None,
        _HIDDEN,
        "1",
        [cell("-20", "oo", _HIDDEN, 1, False, "1", "-1 - (z**2)**(5/2)")],
        [],
        [component(joint(-1), "oo")],
        **(_FINITE | {"domain": ["-20", "oo"], "tails": NOTHING_BEYOND | {"right": {"argument": "monotone"}}}),
    ),
    "a jump inside a cell": certificate(
        None,
        _JUMPS,
        "5",
        [
            cell("-oo", "0", _JUMPS, 1, True, "2/(1 + z**2)**2", "-z"),
            cell("0", "oo", _JUMPS, 1, False, "2/(1 + z**2)**2", "-z"),
        ],
        [crossing(0, ["-2", "-2"]), crossing(1, ["2", "2"])],
        [component(cross(0), cross(1))],
    ),
    "a jump with its value on the left": certificate(
        None,
        "Piecewise((z, z <= 0), (z + 1, True))",
        "2",
        [cell("-oo", "0", "z", 1), cell("0", "oo", "z + 1", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "two signs exchanged": changed(
        changed(
            changed(VALID["tanh, strict"], ("cells",), [_TANH[0] | _DOWN, _TANH[1] | _UP]), ("claim", "threshold"), "1"
        ),
        ("components",),
        [component(joint(0), joint(0), False, False)],
    ),
    "a crossing at the very end": changed(
        changed(VALID["tanh, strict"], ("crossings",), [crossing(1, ["0", "1"])]),
        ("components",),
        [component(joint(0), cross(0))],
    ),
    "a crossing of another cell": changed(
        VALID["user's wave"],
        ("crossings", 0),
        crossing(0, [VALID["user's wave"]["crossings"][4][side] for side in ("lower", "upper")]),
    ),
    "a crossing in the tail left out": certificate(
        "softplus",
        "log(exp(z) + 1)",
        "2",
        [cell("-oo", "oo", "log(1 + exp(z))", 1, True, "exp(z)/(1 + exp(z))**2", "1")],
        [],
        [],
    ),
    "a tail that never gets that high": certificate(
        "softplus",
        "log(exp(z) + 1)",
        "2",
        [cell("-oo", "oo", "log(1 + exp(z))", 1, True, "exp(z)/(1 + exp(z))**2", "1")],
        [],
        [component("-oo", "oo")],
    ),
    "a kink said to belong": changed(VALID["absolute value"], ("components",), [component("-oo", "oo")]),
    "a jump said to belong": certificate(
        None,
        "z + sign(z)",
        "2",
        [cell("-oo", "0", "z - 1", 1), cell("0", "oo", "z + 1", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "a value out of line": certificate(
        None,
        "Piecewise((5, Eq(z, 0)), (z, True))",
        "2",
        [cell("-oo", "0", "z", 1), cell("0", "oo", "z", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "a switch at one point": certificate(
        None, "Piecewise((5, Eq(z, 0)), (z, True))", "2", [cell("-oo", "oo", "z", 1)], [], [component("-oo", "oo")]
    ),
    "not defined everywhere": certificate(
        None,
        "Piecewise((z, z < 0))",
        "2",
        [cell("-oo", "0", "z", 1), cell("0", "oo", "z", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "a condition alone": certificate(
        None, "z*(z < 1)", "2", [cell("-oo", "1", "z", 1), cell("1", "oo", "0", 0)], [], [component("-oo", joint(0))]
    ),
    "a root not found": changed(
        changed(VALID["user's kink"], ("cells", 0, "right"), ["-3", "-1"]), ("cells", 1, "left"), ["-3", "3"]
    ),
    "two zeros in an interval": certificate(
        None,
        "Max(exp(z), z + 2)",
        "1/9",
        [cell("-oo", ["-3", "3"], "exp(z)", 1, True, "exp(z)", "1"), cell(["-3", "3"], "oo", "z + 2", 1)],
        [],
        [],
    ),
    "a slope that is infinite at the end": certificate(
        None,
        "2*sqrt(z)",
        "1/2",
        [cell("0", "4", "2*sqrt(z)", 1, False, "z**(-3/2)/2", "-1")],
        [],
        [],
        **(_FINITE | {"domain": ["0", "4"]}),
    ),
    "an end that is nothing special": changed(
        VALID["sigmoid"],
        ("cells",),
        [
            VALID["sigmoid"]["cells"][0],
            VALID["sigmoid"]["cells"][1] | {"right": ["1", "2"]},
            VALID["sigmoid"]["cells"][1] | {"left": ["1", "2"]},
        ],
    ),
    "weight 0 and a component": changed(VALID["weight 0"], ("components",), [component(joint(0), "oo")]),
    "a threshold of 0": changed(VALID["weight 0"], ("claim", "threshold"), "1 - 1"),
    "no cells": changed(VALID["weight 0"], ("cells",), []),
    "cells the wrong way round": certificate(
        None,
        "z",
        "2",
        [cell("-1", "3", "z", 1), cell("3", "2", "z", 1)],
        [],
        [component(joint(-1), joint(1))],
        **_FINITE,
    ),
    "a bias that is no number": changed(VALID["relu"], ("claim", "bias"), "log(-1)"),
    "a weight too close to 0 to decide": changed(
        VALID["weight 0"], ("claim", "weight"), "exp(-10**5) + sin(1)**2 + cos(1)**2 - 1"
    ),
}


@pytest.mark.parametrize("key", _FALSE)
def test_false_certificates_are_rejected(key):
    assert not checker.check(_FALSE[key]).ok


def test_false_certificates_differ_from_true_ones_in_what_they_say():
    jump = changed(
        _FALSE["a jump said to belong"], ("components",), [component("-oo", joint(0)), component(joint(0), "oo")]
    )
    point = changed(
        _FALSE["a value out of line"], ("components",), [component("-oo", joint(0)), component(joint(0), "oo")]
    )
    tail = changed(_FALSE["a crossing in the tail left out"], ("crossings",), [crossing(0, ["-1/10", "1/10"])])
    extended = changed(tail, ("components",), [component(cross(0), "oo")])
    infinite = changed(_FALSE["a slope that is infinite at the end"], ("claim", "weight"), "1/3")
    infinite = changed(infinite, ("crossings",), [crossing(0, ["1/10", "1/8"])])
    infinite = changed(infinite, ("components",), [component(joint(-1), cross(0))])
    for data in (jump, point, extended, infinite):
        assert checker.check(data).ok, checker.check(data).reason


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
