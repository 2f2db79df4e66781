"""False certificates of what the checker came to prove later: flat places, irrational ends, periods, limits, spelling."""

import copy

from tests.checker.certificates import NOTHING_BEYOND, VALID, cell, certificate, component, cross, crossing, joint

_ALL = [component("-oo", "oo")]
_BOTH = [component("-oo", joint(0)), component(joint(0), "oo")]
_PERIOD = {side: {"argument": "period"} for side in ("left", "right")}


def _changed(key, path, value):
    data = copy.deepcopy(VALID[key])
    inner = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return data


def _halves(expression, parts, weight, shape, positive="1", rises=(False, True), place="0", **others):
    """Return a claim of one formula on two halves of the line."""
    cells = [
        cell("-oo", place, expression, 1, rises[0], positive, shape),
        cell(place, "oo", expression, 1, rises[1], positive, shape),
    ]
    return certificate(None, expression, weight, cells, [], parts, **others)


def _flat():
    """Yield slopes that are 0, or less than the level, at one place or very near to it."""
    cube = "z**3/3"
    yield "a flat point that belongs", _halves(cube, _ALL, "10**300", "2*z")
    yield "all but a flat point", _halves(cube, _BOTH, "10**300", "2*z")
    yield "a flat point of order 5", _halves("z**5/5 + z/10**200", _ALL, "10**199", "4*z**3")
    yield "a fall next to a flat point", _halves("z**6/30 - z**4/10**41 + z", _BOTH, "1", "z**4 - 12*z**2/10**41")
    turned = "z**4*(z - 1/10**60)"
    yield "a zero beside a multiple one", _halves("z + z**7/42 - z**6/(30*10**60)", _BOTH, "1", turned)
    far = "z**5*(1 - z/10**40)"
    yield "a change of sign of a flat shape far out", _halves("z**7/42 - z**8/(56*10**40) + z", _BOTH, "1", far)
    third = "(z**2 - 2)**5/10 + z"
    yield (
        "a multiple zero at a root of two",
        certificate(
            None,
            "z**3/3 - 2*z",
            "10**300",
            [
                cell("-oo", ["-3/2", "-1"], "z**3/3 - 2*z", 1, False, "1", "2*z"),
                cell(["-3/2", "-1"], "0", "z**3/3 - 2*z", -1, True, "1", "2*z"),
                cell("0", ["1", "3/2"], "z**3/3 - 2*z", -1, False, "1", "2*z"),
                cell(["1", "3/2"], "oo", "z**3/3 - 2*z", 1, True, "1", "2*z"),
            ],
            [],
            _ALL,
        ),
    )
    yield "a power that is said to rise", _halves(third, _ALL, "1", "z*(z**2 - 2)**3*(9*z**2 - 2)", "1")


def _irrational():
    """Yield kinks and turns at irrational places that are given as others."""
    text = "Abs(z**2 - 2)"
    near = "14142135623730950488016887242096980785697/10**40"
    pieces = [
        cell("-oo", f"-{near}", "z**2 - 2", -1, False, "2", "1"),
        cell(f"-{near}", "0", "2 - z**2", 1, False, "2", "-1"),
        cell("0", near, "2 - z**2", -1, True, "2", "-1"),
        cell(near, "oo", "z**2 - 2", 1, True, "2", "1"),
    ]
    parts = [component("-oo", joint(0)), component(joint(2), "oo")]
    yield "a kink at 41 digits of an irrational place", certificate(None, text, "2/5", pieces, [], parts)
    two = [cell("-oo", ["-2", "2"], "z**2 - 2", -1, False, "2", "1")]
    two.append(cell(["-2", "2"], "oo", "z**2 - 2", 1, True, "2", "1"))
    yield "an interval that isolates two kinks", certificate(None, text, "1", two, [], _ALL)
    none = [cell("-oo", ["3", "4"], "z**2 - 2", -1, False, "2", "1")]
    none.append(cell(["3", "4"], "oo", "z**2 - 2", 1, True, "2", "1"))
    yield "an interval that isolates nothing", certificate(None, text, "1", none, [], _ALL)
    shifted = copy.deepcopy(VALID["tanh, strict"])
    shifted["claim"] |= {"activation": None, "expression": "tanh(z - log(2))"}
    yield "a peak at an irrational place, moved to 0", shifted


def _merged():
    """Yield logistic functions that are nearly, or no, sigmoids."""
    for name, text in (
        ("another constant", "exp(z)/(2 + exp(z))"),
        ("a constant of 60 digits", "1/(1 + exp(-z)) + exp(z)/((1 + exp(z))*10**60)"),
        ("another rate", "(exp(2*z) - 1)/(exp(2*z) + 1)"),
        ("a rate of 60 digits", "1/(1 + exp(-z - z/10**60))"),
        ("a pole", "exp(z)/(exp(z) - 1)"),
    ):
        data = copy.deepcopy(VALID["sigmoid"])
        data["claim"] |= {"expression": text}
        yield f"a sigmoid with {name}, by name", data
        own = copy.deepcopy(data)
        own["claim"] |= {"activation": None}
        yield f"a sigmoid with {name}, by the pieces of the sigmoid", own


def _periods():
    """Yield waves with a period that is none."""
    for name, text, domain, pieces in (
        ("of |sin| in half", "Abs(sin(z))", ("0", "pi/2"), [cell("0", "pi/2", "sin(z)", 1, False, "1", "-sin(z)")]),
        (
            "of |sin| but for 1e-60",
            "Abs(sin(z)) + sin(z)/10**60",
            ("0", "pi"),
            [
                cell("0", "pi/2", "sin(z) + sin(z)/10**60", 1, False, "1", "-sin(z)"),
                cell("pi/2", "pi", "sin(z) + sin(z)/10**60", -1, True, "1", "-sin(z)"),
            ],
        ),
        (
            "of an absolute value shifted by 1e-60",
            "Abs(sin(z) + 1/10**60)",
            ("0", "pi"),
            [
                cell("0", "pi/2", "sin(z) + 1/10**60", 1, False, "1", "-sin(z)"),
                cell("pi/2", "pi", "sin(z) + 1/10**60", -1, True, "1", "-sin(z)"),
            ],
        ),
        ("of a line", "z + z**2/10**60", ("0", "1"), [cell("0", "1", "z + z**2/10**60", 1, True, "1", "1/10**60")]),
    ):
        data = certificate(None, text, "1/2", pieces, [], [], domain=list(domain), tails=_PERIOD)
        yield f"a period {name}", data


def _limits():
    """Yield slopes that approach the level at infinity only, from one side."""
    soft = "log(1 + exp(z))"
    rising = [cell("-oo", "oo", soft, 1, True, "1/(4*cosh(z/2)**2)", "1")]
    yield "a supremum that is a maximum", certificate(None, soft, "1", rising, [], _ALL, strict=False)
    above = "z - exp(-z)"
    falls = [cell("-oo", "oo", above, 1, False, "exp(-z)", "-1")]
    yield "a limit from above that is reached", certificate(None, above, "1", falls, [], [])
    below = "z + exp(-z)"
    turns = [
        cell("-oo", "0", below, -1, False, "exp(-z)", "1"),
        cell("0", "oo", below, 1, True, "exp(-z)", "1"),
    ]
    yield "a limit from below that is reached", certificate(None, below, "1", turns, [], [component(joint(0), "oo")])
    slow = "z + sqrt(1 + z**2)/10**9"
    nearly = [cell("-oo", "oo", slow, 1, True, "(1 + z**2)**(-3/2)", "1/10**9")]
    yield "a slow limit", certificate(None, slow, "1/(1 + 1/10**9)", nearly, [], _ALL, strict=False)
    window = copy.deepcopy(VALID["relu"])
    window |= {"domain": ["-9", "9"], "tails": NOTHING_BEYOND, "status": "proven"}
    yield "a window said to be the whole line", window
    turned = copy.deepcopy(VALID["relu"])
    turned["domain"] = ["oo", "-oo"]
    yield "a domain from right to left", turned
    empty = certificate(None, "z", "2", [cell("0", "0", "z", 1)], [], [], domain=["0", "0"], tails=NOTHING_BEYOND)
    yield "a domain without length", empty | {"status": "proven on the domain"}


_SPELLED = {  # none is the one spelling of a number of a certificate
    "a power of ten": "1e-400",
    "a hexadecimal number": "0x1",
    "a binary number": "0b1",
    "full-width digits": "\uff11",
    "Arabic digits": "\u0661",
    "a superscript": "1**\u00b2",
    "an underscore": "1_0",
    "a decimal": "1.0",
    "a point": ".5",
    "an imaginary unit": "1j",
    "a leading zero": "01",
    "a plus": "+1",
    "two numbers": "1, 2",
    "a space in front": " 1",
    "a line": "1\n",
    "a text": "'1'",
    "nan": "nan",
    "inf": "inf",
    "a name": "oo",
    "a conditional": "1 if True else 2",
    "a walrus": "(a := 1)",
    "an attribute": "z.real",
    "a truth": "True",
    "a comparison": "1 < 2",
    "a chain of comparisons": "0 < 1 < 2",
    "a star": "Max(*(1, 2))",
    "a keyword": "Max(1, 2, key=3)",
    "many minus signs": "-" * 9_000 + "1",
    "many brackets": "(" * 4_000 + "1" + ")" * 4_000,
    "a tower": "2**2**2**2**2**2",
    "a name that is not ASCII": "\u2134",
    "an exponential in fraktur": "\U0001d522xp(1)",
}
_WRONG_KINDS = (1, 1.5, True, None, [], {}, ["1"], {"value": "1"}, float("nan"), float("inf"), 10**400)


def _spelled():
    for name, text in _SPELLED.items():
        for path in (("claim", "weight"), ("claim", "threshold"), ("claim", "bias")):
            yield f"{name} as {path[-1]}", _changed("relu", path, text)
        yield f"{name} as an end", _changed("relu", ("cells", 0, "right"), text)
        yield f"{name} as an isolating end", _changed("relu", ("cells", 0, "right"), ["-1", text])
        yield f"{name} as a bracket", _changed("arctan", ("crossings", 0, "lower"), text)
    for i, wrong in enumerate(_WRONG_KINDS):
        for path in (
            ("claim", "weight"),
            ("claim", "bias"),
            ("cells", 0, "piece"),
            ("cells", 0, "left"),
            ("domain", 0),
        ):
            yield f"kind {i} at {path}", _changed("relu", path, wrong)
        if not (isinstance(wrong, int) and wrong == 1 and wrong is not True):
            yield f"kind {i} as a sign", _changed("relu", ("cells", 1, "sign"), wrong)
        yield f"kind {i} as a whole", wrong if not isinstance(wrong, dict) else {"claim": wrong}
    for index in (True, -1, 0.0, "0", None, 10**30):
        yield f"the end {index!r}", _changed("relu", ("components", 0, "lower"), {"end": index})
        yield f"the cell {index!r}", _changed("arctan", ("crossings", 0, "cell"), index)
    yield "an end and a crossing", _changed("arctan", ("components", 0, "lower"), {"end": 0, "crossing": 0})
    yield "a crossing twice", _changed("arctan", ("components", 0, "upper"), cross(0))
    yield (
        "crossings in the wrong order",
        _changed("arctan", ("crossings",), [crossing(1, ["0", "10"]), crossing(0, ["-10", "0"])]),
    )


LATER_FORGERIES = {
    name: data for kind in (_flat, _irrational, _merged, _periods, _limits, _spelled) for name, data in kind()
}
