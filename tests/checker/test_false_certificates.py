"""Forged certificates, built to please, are rejected."""

import pytest

from gradtheory import checker
from tests.checker.certificates import NOTHING_BEYOND, VALID, cell, certificate, component, cross, crossing, joint
from tests.checker.test_checker import changed

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
