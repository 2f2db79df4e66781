"""The checker of certificates: true ones pass, whatever is changed in them is noticed, and nothing from outside harms."""

import copy
import json
from fractions import Fraction

import pytest
import sympy

import gradtheory as gt
from gradtheory import checker
from gradtheory.activations import Z
from gradtheory.checker.field import Field
from gradtheory.checker.reading import read
from tests.checker.certificates import NOTHING_BEYOND, VALID, cell, certificate, component, cross, joint
from tests.shapes import slow_except


def changed(data, path, value):
    """Return a copy with one field, named by its path, set to another value."""
    result = copy.deepcopy(data)
    *outer, last = path
    inner = result
    for key in outer:
        inner = inner[key]
    inner[last] = value
    return result


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
@pytest.mark.parametrize("key", slow_except(_QUICK, sorted(VALID.keys() - {"user's wave", "gelu"})))
def test_tampering_is_noticed(key):
    count = 0
    for name, data in tampered(VALID[key]):
        report = checker.check(data)
        assert not report.ok, f"{key}: {name} was not noticed"
        assert report.reason.startswith(("rejected: ", "undecided: ")), name
        assert "\n" not in report.reason
        count += 1
    assert count > 20


@pytest.mark.slow
@pytest.mark.parametrize(
    "expr",
    [
        Z**6 * sympy.exp(-(Z**2)),
        Z**9 * sympy.exp(-(Z**2)),
        Z**7 * sympy.exp(-(Z**2)) + Z / 9,
        sympy.tanh(Z) ** 9,
        sympy.tanh(Z**6),
        sympy.tanh(Z**7),
    ],
)
def test_zeros_of_a_high_order_are_proven(expr):
    certificate = gt.certificate(expr, 3)
    assert gt.checker.check(certificate).ok
    cells = certificate["cells"]
    at_0 = next(k for k, cell in enumerate(cells) if cell["right"] == "0")
    joined = {**cells[at_0], "right": cells[at_0 + 1]["right"]}
    forged = {**certificate, "cells": [*cells[:at_0], joined, *cells[at_0 + 2 :]]}
    assert not gt.checker.check(forged).ok


def test_a_base_without_zeros_is_no_endless_divisor():
    field = Field(lambda work: None)
    quotient = field.value(read("exp(z)**7*z**4"))
    tops, _ = quotient.factors([field.value(read("exp(z)")), field.value(read("z")), field.value(read("2"))])
    assert tops == [read("1"), read("z"), read("z")]
