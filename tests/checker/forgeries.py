"""False certificates that are made to please a checker: right wherever one might look, wrong elsewhere."""

import copy
from fractions import Fraction

import mpmath

from tests.checker.certificates import (
    NOTHING_BEYOND,
    VALID,
    bracket,
    cell,
    certificate,
    component,
    cross,
    crossing,
    joint,
)

_RELU = [cell("-oo", "0", "0", 0), cell("0", "oo", "z", 1)]
_SPIKE = "log(1 + exp(100*(z - 20)))"


def _on(left, right):
    return {"domain": [left, right], "tails": NOTHING_BEYOND, "status": "proven on the domain"}


def _changed(key, **changes):
    return copy.deepcopy(VALID[key]) | changes


def _claiming(key, expression):
    """Return a true certificate with another expression of one's own in its claim, and in its pieces."""
    data = copy.deepcopy(VALID[key])
    before = data["claim"]["expression"]
    data["claim"] |= {"activation": None, "expression": expression(before)}
    return data, [each | {"piece": expression(each["piece"])} for each in data["cells"]]


def _hidden(key, expression):
    """Yield forgeries of an activation to which something is added: pieces without it, with it, and all with it."""
    data, cells = _claiming(key, expression)
    yield data
    yield data | {"cells": cells}
    bends = [
        each if each["shape"] is None else each | {"shape": expression(each["shape"]), "positive": each["positive"]}
        for each in cells
    ]
    yield data | {"cells": bends}


_BESIDE = {
    "a bump far out": lambda text: f"{text} + tanh(50*(z - 100)) + 1",
    "a bump very far out": lambda text: f"{text} + 3*tanh(z - 10**9)",
    "a bump between samples": lambda text: f"{text} + exp(-10**12*(z - 1/3)**2)/10**3",
    "a bump at negative z": lambda text: f"{text} + 9*exp(-10**9*(z + 17)**2)",
    "a ramp that is no ramp": lambda text: f"{text} + {_SPIKE}/500",
    "a wave too fast to see": lambda text: f"{text} + sin(10**9*z)/10**6",
    "a switch far out": lambda text: f"Piecewise(({text}, z < 10**30), (50*z, True))",
    "a maximum far out": lambda text: f"Max({text}, 50*z - 10**20)",
    "a root of a square": lambda text: f"{text} + 20*(sqrt((z - 30)**2) - (z - 30))",
    "an absolute value": lambda text: f"{text} + 20*(Abs(z - 30) + (z - 30))",
}

_SILU_TURN = "z/(1 + exp(-z))"


def _silu_with_a_sum_for_its_shape():
    positive, shape = "1/(4*cosh(z/2)**2)", "-z*tanh(z/2) + 2 - 400*exp(-z**2)"
    cells = [
        cell("-10000", "10003", _SILU_TURN, 1, False, positive, shape),
        cell("10003", "oo", _SILU_TURN, 1, False, positive, shape),
    ]
    parts = [component(joint(0), "oo")]
    return certificate("silu", _SILU_TURN, "-12", cells, [], parts, **_on("-10000", "oo"))


def _relu(weight, parts, **others):
    return certificate("relu", "Max(0, z)", weight, _RELU, [], parts, **others)


def _almost_acosh():
    """Return a rational number that is acosh(1 + 2^-190), but for a relative 10^-40."""
    with mpmath.workdps(300):
        value = mpmath.acosh(1 + mpmath.mpf(2) ** -190) * (1 - mpmath.mpf(10) ** -40)
        return Fraction(int(value * 2**500), 2**500)


def _tanh_with_factors(positive, shape):
    cells = [each | {"positive": positive, "shape": shape} for each in VALID["tanh, strict"]["cells"]]
    return _changed("tanh, strict", cells=cells)


def _wave(end):
    """Return the sine, with a period that is not quite one."""
    cells = [
        cell("-pi/2", "0", "sin(z)", 1, True, "1", "-sin(z)"),
        cell("0", "pi/2", "sin(z)", 1, False, "1", "-sin(z)"),
        cell("pi/2", end, "sin(z)", -1, True, "1", "-sin(z)"),
    ]
    period = {"argument": "period"}
    others = {"domain": ["-pi/2", end], "tails": {"left": period, "right": period}}
    return certificate(None, "sin(z)", "1/2", cells, [], [], **others)


_TANGENT = bracket(lambda x: 1 / (1 + x**2) - 0.2, 0, 5)


def _undefined_at_0(expression):
    """Return a claim about all z of what is z, except that it has no value at 0."""
    cells = [cell("-oo", "0", "z", 1), cell("0", "oo", "z", 1)]
    return certificate(None, expression, "2", cells, [], [component("-oo", "oo")])


_UNDEFINED_AT_0 = {
    "a quotient": "z**2/z",
    "a difference": "z + 1/z - 1/z",
    "a product of exponentials": "z*exp(1/z)*exp(-1/z)",
    "a reciprocal of a reciprocal": "1/(1/z)",
    "a product of opposite functions": "z*tanh(z)*coth(z)",
    "a multiple of a logarithm": "z + 0*log(z)",
    "a square of a root": "sqrt(z)*sqrt(z)",
}

FORGERIES = {f"{what} that is undefined at 0": _undefined_at_0(text) for what, text in _UNDEFINED_AT_0.items()}
FORGERIES |= {
    f"{key}, {name}, {i}": data
    for key in ("sigmoid", "tanh, strict", "softplus, below its supremum", "relu", "hard sigmoid", "arctan")
    for name, expression in _BESIDE.items()
    for i, data in enumerate(_hidden(key, expression))
} | {
    "a piece with a spike": certificate(
        "relu",
        "Max(0, z)",
        "9/10",
        [_RELU[0], cell("0", "20", "z", 1), cell("20", "oo", f"z + {_SPIKE}/100", 1, True, "1", "exp(z)")],
        [],
        [component(joint(1), "oo")],
    ),
    "a piece that agrees at odd integers": certificate(
        None,
        "z",
        "1/2",
        [cell("0", "49", "z + sin(pi*z)", 1)],
        [],
        [component(joint(-1), joint(0))],
        **_on("0", "49"),
    ),
    "a shape with a sum that fades": _silu_with_a_sum_for_its_shape(),
    "a weight that is 1 to 40 digits": _relu(f"acosh(1 + 2**(-190))/({_almost_acosh()})", []),
    "a weight a hair above 1": _relu("1 + 10**(-999)", []),
    "a weight a hair below 1": _relu("1 - 10**(-999)", [component(joint(0), "oo")]),
    "a weight of 0 in disguise": _relu("(sqrt(2) + 1)*(sqrt(2) - 1) - 1", [component(joint(0), "oo")]),
    "a weight that is 0 to a million digits": _relu("1 - erf(1000) + exp(-1000000)", []),
    "a weight that is no number": _relu("log(-1)", []),
    "a threshold that is infinite": _relu("8", [], threshold="atanh(1)"),
    "a threshold that is negative to 1000 digits": _relu("8", [component(joint(0), "oo")], threshold="-exp(-10**6)"),
    "a factor that hides a change of sign": _tanh_with_factors(
        "2*sech(z)**2*(1 - 2*exp(-10**12*(z - 1/3)**2))", "-tanh(z)/(1 - 2*exp(-10**12*(z - 1/3)**2))"
    ),
    "factors with a pole": _tanh_with_factors("2*sech(z)**2/(z - 1/3)**2", "-tanh(z)*(z - 1/3)**2"),
    "factors that differ from σ'' in the 60th digit": _tanh_with_factors("2*sech(z)**2", "-tanh(z)*(1 + 10**(-60))"),
    "the crossings of another function": _changed(
        "sigmoid", crossings=[crossing(1, _TANGENT)], components=[component(joint(0), cross(0))]
    ),
    "a crossing as wide as its cell, in the wrong cell": _changed(
        "arctan", crossings=[crossing(0, ["0", "10"]), crossing(1, ["0", "10"])]
    ),
    "components dropped": _changed("gelu", components=VALID["gelu"]["components"][1:]),
    "components joined": _changed("gelu", components=[component(cross(0), "oo")]),
    "a kink of 10^-40 that belongs": certificate(
        None,
        "z + Abs(z)/10**40",
        "2",
        [cell("-oo", "0", "z - z/10**40", 1), cell("0", "oo", "z + z/10**40", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "a jump of 10^-60 that belongs": certificate(
        None,
        "z + sign(z)/10**60",
        "2",
        [cell("-oo", "0", "z - 1/10**60", 1), cell("0", "oo", "z + 1/10**60", 1)],
        [],
        [component("-oo", "oo")],
    ),
    "a period in the 20th digit": _wave("157079632679489661923/10**20"),
    "half a period of something else": _wave("pi"),
    "a name in other letters": _changed("relu", claim=VALID["relu"]["claim"] | {"activation": "ReLU"}),
    "a name with spaces": _changed("relu", claim=VALID["relu"]["claim"] | {"activation": " relu "}),
    "a name that is a formula": _changed("relu", claim=VALID["relu"]["claim"] | {"activation": "Max(0, z)"}),
    "an end written twice": _changed("relu", domain=["-oo", ["0", "oo"]]),
}
