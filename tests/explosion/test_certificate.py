"""Certificates that the solver writes pass the independent checker, and tampered ones do not."""

import copy
import json

import pytest
import sympy

import gradtheory as gt
from gradtheory.checker import check
from gradtheory.errors import Undecided

Z = sympy.Symbol("z", real=True)


_VERDICTS = {
    "proven": "verified on the whole line",
    "proven on the domain": "verified on [-64, 64]; nothing is claimed beyond",
}


def _written(activation, w, b=0, **options):
    return json.loads(json.dumps(gt.certificate(activation, w, b, **options)))


@pytest.mark.sampled(18)
@pytest.mark.parametrize("w", ["73/10", "-2/3", "1e6"])
def test_every_certificate_is_verified(shape, w):
    report = check(_written(shape, w, "0.3"))
    assert report.verdict == "verified on the whole line", report.reason


@pytest.mark.parametrize("expr", [Z * sympy.exp(-(Z**2)), sympy.tanh(Z), Z / (1 + Z**2), sympy.Max(0, Z) ** 2])
def test_ones_own_activation_is_verified_where_the_verdict_says(expr):
    proof = _written(expr, 7)
    report = check(proof)
    assert report.ok, report.reason
    assert report.verdict == _VERDICTS[proof["status"]]


def test_the_verdict_says_whether_points_between_two_periods_belong():
    beyond = "verified on (-pi, pi) and all its periods; the points between them belong too"
    wave = Z / 2 + sympy.sin(Z) / 4  # its slope lies between 1/4 and 3/4
    assert check(_written(wave, 8)).verdict == beyond
    assert check(_written(wave, "8/3")).verdict == "verified on the whole line"
    shifted = _written("sine", 2) | {"domain": ["0", "pi"], "components": []}
    rising = {**shifted["cells"][1], "left": "pi/2", "right": "pi", "sign": -1, "rises": True}
    shifted["cells"] = [{**shifted["cells"][1], "left": "0", "right": "pi/2"}, rising]
    shifted["crossings"] = [{"cell": 0, "lower": "1", "upper": "11/10"}, {"cell": 1, "lower": "2", "upper": "21/10"}]
    ends = [({"end": -1}, {"crossing": 0}), ({"crossing": 1}, {"end": 1})]
    for lower, upper in ends:
        shifted["components"].append({"lower": lower, "upper": upper, "lower_open": True, "upper_open": True})
    assert check(shifted).verdict == beyond.replace("-pi, pi", "0, pi")  # as 0 does
    size = {**shifted["claim"], "activation": None, "expression": "Max(-sin(z), sin(z))"}  # with a kink at 0
    assert check(shifted | {"claim": size}).verdict.endswith("; nothing is claimed of the points between them")


_BETWEEN = "verified on ({}, {}) and all its periods; the points between them belong too"
_OWN_PERIODIC = (sympy.exp(sympy.sin(Z)), sympy.sin(3 * Z) / 3, Z + sympy.sin(Z) ** 2)


@pytest.mark.parametrize("activation", ["sine", "cosine", "snake", *_OWN_PERIODIC], ids=str)
def test_one_period_is_proven_for_all(activation):
    proof = _written(activation, 2, 1)
    report = check(proof)
    assert report.ok, report.reason
    assert report.verdict in ("verified on the whole line", _BETWEEN.format(*proof["domain"]))
    end = sympy.Rational(11, 10) * gt.activation(activation).profile.branches[-1].right
    longer = copy.deepcopy(proof)
    longer["domain"][1] = longer["cells"][-1]["right"] = str(end)
    for changed in (
        longer,
        proof | {"tails": proof["tails"] | {"left": {"argument": "monotone"}}},
        proof | {"tails": proof["tails"] | {"right": {"argument": "limit", "limit": "0", "assumes": "it is"}}},
        proof | {"status": "proven on the domain"},
        proof | {"components": proof["components"][:-1]},
    ):
        assert not check(changed).ok


def test_a_slope_without_a_period_has_none():
    proof = _written(sympy.exp(-(Z**2)) * sympy.sin(Z), 3)  # on a bounded domain
    period = {"argument": "period"}
    changed = proof | {"tails": {"left": period, "right": period}, "status": "proven"}
    assert "period" in check(changed).reason


@pytest.mark.parametrize("method", ["certified", "auto"])
@pytest.mark.parametrize("strict", [True, False])
def test_methods_and_strictness(method, strict):
    for activation, w in (("sigmoid", 7), ("gaussian", 3), ("relu", 1), ("tanh", 1)):
        report = check(_written(activation, w, strict=strict, method=method))
        assert report.ok, report.reason


def test_what_the_solver_notes_about_the_tails_is_not_repeated():
    proof = _written(sympy.tanh(Z), 7)
    if proof["status"] == "proven":  # of the whole line: claim less
        proof = _on(proof, "-64", "64")
    for note in ("0/0", "log(z)", "trust me"):
        tail = {"argument": "limit", "limit": note, "assumes": note}
        report = check(proof | {"tails": {"left": tail, "right": tail}})
        assert report.verdict == "verified on [-64, 64]; nothing is claimed beyond"
        assert note not in repr(report)


def _on(proof, left, right):
    """Return a certificate of the whole line as one of a part of it, which holds every end in it."""
    part = copy.deepcopy(proof)
    part["domain"], part["status"] = [left, right], "proven on the domain"
    part["cells"][0]["left"], part["cells"][-1]["right"] = left, right
    for component in part["components"]:
        for side, end, i in (("lower", "-oo", -1), ("upper", "oo", len(part["cells"]) - 1)):
            component[side] = {"end": i} if component[side] == end else component[side]
    return part


def test_a_certificate_that_would_be_too_long_is_refused_in_one_line():
    with pytest.raises(Undecided) as error:
        gt.certificate(sympy.tanh(Z) * sympy.Rational(10**4100 + 1, 10**4099), 3)
    assert "\n" not in str(error.value)


def test_a_period_of_an_expression_with_switches_is_proven():
    report = check(_written(sympy.Max(sympy.sin(Z), sympy.Rational(1, 2)), 3))
    assert report.ok, report.reason


def test_a_period_of_an_absolute_value_may_be_that_of_a_change_of_sign():
    report = check(_written(sympy.Abs(sympy.sin(3 * Z)), "1/2"))
    assert report.ok, report.reason


@pytest.mark.parametrize(
    "expr", [1 / (1 + Z**4), sympy.exp(-(Z**4)), sympy.cos(Z) ** 4, sympy.atan(Z**5), sympy.erf(Z) ** 4], ids=str
)
def test_cells_may_end_at_a_multiple_zero_of_the_bend(expr):
    report = check(_written(expr, 3))
    assert report.ok, report.reason


def _tampered():
    """Yield copies of one certificate, each with one change."""
    proof = _written("gelu", -12, "0.3")
    changes = {
        "format": lambda c: c.update(format="gradtheory-certificate/2"),
        "activation": lambda c: c["claim"].update(activation="silu"),
        "expression": lambda c: c["claim"].update(expression="z"),
        "weight": lambda c: c["claim"].update(weight="-11"),
        "threshold": lambda c: c["claim"].update(threshold="2"),
        "domain": lambda c: c.update(domain=["-3", "oo"]),
        "no cell": lambda c: c["cells"].pop(),
        "cells swapped": lambda c: c["cells"].reverse(),
        "cell end": lambda c: c["cells"][0].update(right="-1"),
        "sign": lambda c: c["cells"][0].update(sign=1),
        "rises": lambda c: c["cells"][0].update(rises=False),
        "piece": lambda c: c["cells"][0].update(piece="z"),
        "positive": lambda c: c["cells"][0].update(positive="1"),
        "shape": lambda c: c["cells"][0].update(shape="2 + z**2"),
        "moved end": lambda c: c["crossings"][0].update(lower="-1", upper="-9/10"),
        "no crossing": lambda c: c["crossings"].pop(),
        "no component": lambda c: c["components"].pop(),
        "one more component": lambda c: c["components"].append(c["components"][0]),
        "closed": lambda c: c["components"][0].update(lower_open=False),
        "tails": lambda c: c["tails"].update(left={"argument": "limit", "limit": "0", "assumes": "nothing"}),
        "status": lambda c: c.update(status="proven on the domain"),
    }
    for name, change in changes.items():
        changed = copy.deepcopy(proof)
        change(changed)
        yield pytest.param(changed, id=name)
    for key in proof:
        yield pytest.param({field: value for field, value in proof.items() if field != key}, id=f"without {key}")


@pytest.mark.sampled(6)
@pytest.mark.parametrize("proof", list(_tampered()))
def test_a_tampered_certificate_is_rejected(proof):
    report = check(proof)
    assert not report.ok
    assert report.reason
