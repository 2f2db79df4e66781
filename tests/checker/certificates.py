"""Certificates made by hand, for the tests of the checker."""

from fractions import Fraction
from itertools import pairwise

import mpmath

MONOTONE = {"argument": "monotone"}
NOTHING_BEYOND = {
    side: {"argument": "limit", "limit": "0", "assumes": "this is not read"} for side in ("left", "right")
}


def bracket(function, left, right, digits=25):
    """Return rational ends of width 10**-digits around the sign change of a function, by bisection."""
    with mpmath.workdps(digits + 10):
        low, high = mpmath.mpf(left), mpmath.mpf(right)
        first = mpmath.sign(function(low))
        while high - low > mpmath.mpf(10) ** -(digits + 2):
            middle = (low + high) / 2
            low, high = (middle, high) if mpmath.sign(function(middle)) == first else (low, middle)
        at = int(mpmath.floor(low * mpmath.mpf(10) ** digits))
    return [str(Fraction(at - 1, 10**digits)), str(Fraction(at + 2, 10**digits))]


def cell(left, right, piece, sign, rises=None, positive=None, shape=None):
    return dict(
        zip(
            ("left", "right", "piece", "sign", "rises", "positive", "shape"),
            (left, right, piece, sign, rises, positive, shape),
            strict=True,
        )
    )


def crossing(i, ends):
    return {"cell": i, "lower": ends[0], "upper": ends[1]}


def component(lower, upper, lower_open=True, upper_open=True):
    return {"lower": lower, "upper": upper, "lower_open": lower_open, "upper_open": upper_open}


def certificate(activation, expression, weight, cells, crossings, components, threshold="1", **others):
    claim = {"kind": "explosion set", "activation": activation, "expression": expression, "weight": weight}
    claim |= {"bias": others.pop("bias", "0"), "threshold": threshold, "strict": others.pop("strict", True)}
    return {
        "format": "gradtheory-certificate/1",
        "claim": claim,
        "method": "certified",
        "domain": ["-oo", "oo"],
        "cells": cells,
        "crossings": crossings,
        "components": components,
        "tails": {"left": MONOTONE, "right": MONOTONE},
        "status": "proven",
    } | others


def cross(i):
    return {"crossing": i}


def joint(j):
    return {"end": j}


def bell(name, expression, slope, positive, shape, weight, **others):
    """Return the certificate of an even slope that falls on both sides of 0, w being greater than critical."""
    ends = bracket(lambda x: slope(x) * abs(mpmath.mpf(Fraction(weight).numerator)) - 1, 0, 30)
    mirrored = [str(-Fraction(end)) for end in reversed(ends)]
    cells = [
        cell("-oo", "0", expression, 1, True, positive, shape),
        cell("0", "oo", expression, 1, False, positive, shape),
    ]
    closed = not others.get("strict", True)
    parts = [component(cross(0), cross(1), not closed, not closed)]
    return certificate(name, expression, weight, cells, [crossing(0, mirrored), crossing(1, ends)], parts, **others)


def _tanh_at_its_supremum(strict):
    cells = [
        cell("-oo", "0", "tanh(z)", 1, True, "2*sech(z)**2", "-tanh(z)"),
        cell("0", "oo", "tanh(z)", 1, False, "2*sech(z)**2", "-tanh(z)"),
    ]
    parts = [] if strict else [component(joint(0), joint(0), False, False)]
    return certificate("tanh", "tanh(z)", "-3", cells, [], parts, threshold="3", strict=strict)


def _gelu():
    text, positive, shape = "z*(erf(sqrt(2)*z/2) + 1)/2", "exp(-z**2/2)/sqrt(2*pi)", "2 - z**2"

    def slope(x):
        return mpmath.ncdf(x) + x * mpmath.npdf(x)

    turn = bracket(slope, -1, "-0.5")
    cells = [
        cell("-oo", "-sqrt(2)", text, -1, True, positive, shape),
        cell("-sqrt(2)", turn, text, -1, False, positive, shape),
        cell(turn, "sqrt(2)", text, 1, True, positive, shape),
        cell("sqrt(2)", "oo", text, 1, False, positive, shape),
    ]
    crossings = [
        crossing(0, bracket(lambda x: -slope(x) * 12 - 1, -9, "-1.5")),
        crossing(1, bracket(lambda x: -slope(x) * 12 - 1, "-1.4", "-0.8")),
        crossing(2, bracket(lambda x: slope(x) * 12 - 1, "-0.7", 1)),
    ]
    return certificate(
        "gelu", text, "-12", cells, crossings, [component(cross(0), cross(1)), component(cross(2), "oo")], bias="3/10"
    )


def _silu():
    text, positive, shape = "z/(1 + exp(-z))", "1/(4*cosh(z/2)**2)", "2 - z*tanh(z/2)"

    def slope(x):
        return (1 + x / (1 + mpmath.exp(x))) / (1 + mpmath.exp(-x))

    def bend(x):
        return 2 - x * mpmath.tanh(x / 2)

    left, turn, right = bracket(bend, -3, -2), bracket(slope, -2, -1), bracket(bend, 2, 3)
    cells = [
        cell("-oo", left, text, -1, True, positive, shape),
        cell(left, turn, text, -1, False, positive, shape),
        cell(turn, right, text, 1, True, positive, shape),
        cell(right, "oo", text, 1, False, positive, shape),
    ]
    crossings = [crossing(2, bracket(lambda x: 2 * slope(x) - 1, -1, 2))]
    return certificate("silu", text, "2", cells, crossings, [component(cross(0), "oo")])


def _softsign(strict):
    positive, crossings = (
        ("2/(1 - z)**3", "2/(1 + z)**3"),
        [crossing(0, ["-1001/1000", "-999/1000"]), crossing(1, ["1", "1"])],
    )
    cells = [
        cell("-oo", "0", "z/(1 - z)", 1, True, positive[0], "1"),
        cell("0", "oo", "z/(1 + z)", 1, False, positive[1], "-1"),
    ]
    return certificate(
        "softsign",
        "z/(Abs(z) + 1)",
        "4",
        cells,
        crossings,
        [component(cross(0), cross(1), strict, strict)],
        strict=strict,
    )


def _user_piecewise():
    """A kink at -1, a smooth joint at 0, a jump at 1; the domain is finite."""
    text = "Piecewise((-z, z <= -1), (exp(z), z < 0), (z + 1, (z >= 0) & (z < 1)), (z**2 + 1, z >= 1))"
    cells = [
        cell("-5", "-1", "-z", -1),
        cell("-1", "0", "exp(z)", 1, True, "exp(z)", "1"),
        cell("0", "1", "z + 1", 1),
        cell("1", "6", "z**2 + 1", 1, True, "2", "1"),
    ]
    crossings = [crossing(1, bracket(lambda x: 2 * mpmath.exp(x) - 1, -1, 0))]
    parts = [component(joint(-1), joint(0)), component(cross(0), joint(2)), component(joint(2), joint(3))]
    return certificate(
        None,
        text,
        "2",
        cells,
        crossings,
        parts,
        domain=["-5", "6"],
        tails=NOTHING_BEYOND,
        status="proven on the domain",
    )


def _user_wave():
    """The sine: turning points and zeros of the slope in turn, two components with the same |σ'|."""
    ends = ["-pi/2", "0", "pi/2", "pi", "3*pi/2", "2*pi", "5*pi/2"]
    cells = [
        cell(left, right, "sin(z)", 1 if i % 4 < 2 else -1, i % 2 == 0, "1", "-sin(z)")
        for i, (left, right) in enumerate(pairwise(ends))
    ]
    crossings = [
        crossing(
            i, bracket(lambda x: 2 * abs(mpmath.cos(x)) - 1, mpmath.mpf(i - 1) * 1.570796, mpmath.mpf(i) * 1.570796)
        )
        for i in range(6)
    ]
    parts = [component(cross(i), cross(i + 1)) for i in (0, 2, 4)]
    return certificate(
        None,
        "sin(z)",
        "2",
        cells,
        crossings,
        parts,
        domain=[ends[0], ends[-1]],
        tails=NOTHING_BEYOND,
        status="proven on the domain",
    )


def _user_kink():
    """A kink whose place has no closed form: Max switches where exp(z) = z + 2, at two places."""
    left, right = bracket(lambda x: mpmath.exp(x) - x - 2, -3, -1), bracket(lambda x: mpmath.exp(x) - x - 2, 1, 2)
    cells = [
        cell("-oo", left, "exp(z)", 1, True, "exp(z)", "1"),
        cell(left, right, "z + 2", 1),
        cell(right, "oo", "exp(z)", 1, True, "exp(z)", "1"),
    ]
    return certificate(
        None, "Max(exp(z), z + 2)", "2", cells, [], [component(joint(0), joint(1)), component(joint(1), "oo")]
    )


_ELU = "exp(Min(0, z)) + Max(0, z) - 1"
_SIXTH = "Max(0, Min(1, z/6 + 1/2))"

VALID = {
    "sigmoid": bell(
        "sigmoid",
        "1/(1 + exp(-z))",
        lambda x: 1 / (4 * mpmath.cosh(x / 2) ** 2),
        "1/(4*cosh(z/2)**2)",
        "-tanh(z/2)",
        "7",
    ),
    "sigmoid, not strict": bell(
        "sigmoid",
        "1/(1 + exp(-z))",
        lambda x: 1 / (4 * mpmath.cosh(x / 2) ** 2),
        "1/(4*cosh(z/2)**2)",
        "-tanh(z/2)",
        "7",
        strict=False,
    ),
    "arctan": bell("arctan", "atan(z)", lambda x: 1 / (1 + x**2), "2/(1 + z**2)**2", "-z", "5"),
    "arsinh": bell(
        "arsinh",
        "asinh(z)",
        lambda x: 1 / mpmath.sqrt(1 + x**2),
        "(1 + z**2)**(-3/2)",
        "-z",
        "-5",
        method="closed_form",
    ),
    "erf": bell(
        "erf", "erf(z)", lambda x: 2 * mpmath.exp(-(x**2)) / mpmath.sqrt(mpmath.pi), "4*exp(-z**2)/sqrt(pi)", "-z", "3"
    ),
    "gelu": _gelu(),
    "silu": _silu(),
    "relu": certificate(
        "relu", "Max(0, z)", "8", [cell("-oo", "0", "0", 0), cell("0", "oo", "z", 1)], [], [component(joint(0), "oo")]
    ),
    "relu, at its slope, not strict": certificate(
        "relu",
        "Max(0, z)",
        "1",
        [cell("-oo", "0", "0", 0), cell("0", "oo", "z", 1)],
        [],
        [component(joint(0), "oo")],
        strict=False,
    ),
    "leaky": certificate(
        "leaky_relu",
        "Max(0, z) + Min(0, z)/100",
        "-200",
        [cell("-oo", "0", "z/100", 1), cell("0", "oo", "z", 1)],
        [],
        [component("-oo", joint(0)), component(joint(0), "oo")],
    ),
    "tanh, strict": _tanh_at_its_supremum(True),
    "tanh, not strict": _tanh_at_its_supremum(False),
    "softsign": _softsign(True),
    "softsign, not strict": _softsign(False),
    "elu": certificate(
        "elu",
        _ELU,
        "1",
        [cell("-oo", "0", "exp(z) - 1", 1, True, "exp(z)", "1"), cell("0", "oo", "z", 1)],
        [crossing(0, bracket(lambda x: 2 * mpmath.exp(x) - 1, -2, 0))],
        [component(cross(0), "oo")],
        "1/2",
    ),
    "elu, at its slope, not strict": certificate(
        "elu",
        _ELU,
        "1",
        [cell("-oo", "0", "exp(z) - 1", 1, True, "exp(z)", "1"), cell("0", "oo", "z", 1)],
        [],
        [component(joint(0), "oo", False)],
        strict=False,
    ),
    "softplus, below its supremum": certificate(
        "softplus",
        "log(exp(z) + 1)",
        "1",
        [cell("-oo", "oo", "log(1 + exp(z))", 1, True, "exp(z)/(1 + exp(z))**2", "1")],
        [],
        [],
    ),
    "hard sigmoid": certificate(
        "hard_sigmoid",
        _SIXTH,
        "7",
        [cell("-oo", "-3", "0", 0), cell("-3", "3", "z/6 + 1/2", 1), cell("3", "oo", "1", 0)],
        [],
        [component(joint(0), joint(1))],
    ),
    "gaussian": certificate(
        "gaussian",
        "exp(-z**2)",
        "sqrt(E)/sqrt(2)",
        [
            cell("-oo", "-1/sqrt(2)", "exp(-z**2)", 1, True, "2*exp(-z**2)", "2*z**2 - 1"),
            cell("-1/sqrt(2)", "0", "exp(-z**2)", 1, False, "2*exp(-z**2)", "2*z**2 - 1"),
            cell("0", "sqrt(2)/2", "exp(-z**2)", -1, True, "2*exp(-z**2)", "2*z**2 - 1"),
            cell("sqrt(2)/2", "oo", "exp(-z**2)", -1, False, "2*exp(-z**2)", "2*z**2 - 1"),
        ],
        [],
        [component(joint(0), joint(0), False, False), component(joint(2), joint(2), False, False)],
        strict=False,
    ),
    "weight 0": certificate("relu", "Max(0, z)", "0", [cell("-oo", "0", "0", 0), cell("0", "oo", "z", 1)], [], []),
    "absolute value": certificate(
        None,
        "Abs(z)",
        "1",
        [cell("-oo", "0", "-z", -1), cell("0", "oo", "z", 1)],
        [],
        [component("-oo", joint(0)), component(joint(0), "oo")],
        strict=False,
    ),
    "cube": certificate(
        None,
        "z**3",
        "1/3",
        [cell("-oo", "0", "z**3", 1, False, "6", "z"), cell("0", "oo", "z**3", 1, True, "6", "z")],
        [crossing(0, ["-1", "-1"]), crossing(1, ["99/100", "1"])],
        [component("-oo", cross(0), True, False), component(cross(1), "oo", False)],
        strict=False,
    ),
    "user's piecewise": _user_piecewise(),
    "user's kink": _user_kink(),
    "user's wave": _user_wave(),
    "user's root": certificate(
        None,
        "2*sqrt(z)",
        "1",
        [cell("0", "4", "2*sqrt(z)", 1, False, "z**(-3/2)/2", "-1")],
        [crossing(0, ["999/1000", "1001/1000"])],
        [component(joint(-1), cross(0))],
        domain=["0", "4"],
        status="proven on the domain",
        tails=NOTHING_BEYOND,
    ),
}
