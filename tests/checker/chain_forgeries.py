"""False certificates of chains: a true one with one statement changed, or made to please the checker."""

import copy

from tests.checker.chain_certificates import (
    CELLS,
    ELU,
    HARD_TANH,
    RELU,
    TANH,
    VALID_CHAINS,
    chain_certificate,
    end,
    piece,
)

_WIDE = {"lower": end("-100", "-1"), "upper": end("100", "1")}
_EVERYWHERE = {"lower": end("-oo", "0"), "upper": end("oo", "0")}


def _changed(key, *changes):
    """Return a true certificate with values at some paths replaced, or removed if the value is `...`."""
    data = copy.deepcopy(VALID_CHAINS[key])
    for path, value in changes:
        inner = data
        for step in path[:-1]:
            inner = inner[step]
        if value is ...:
            del inner[path[-1]]
        else:
            inner[path[-1]] = value
    return data


def _own(expression, cells, w, b, claimed=None, empty=None, threshold="1"):
    """Return a certificate of one's own activation."""
    own = {"activation": None, "expression": expression}
    return chain_certificate([own], w, b, claimed, empty, threshold, cells=[cells])


def _claims():
    two = VALID_CHAINS["sigmoid"]
    lower, upper = two["set"]["lower"], two["set"]["upper"]
    layer = {"activation": 0, "weight": "5", "bias": "-5/2"}
    yield (
        "a weight with the wrong sign",
        _changed("sigmoid", (("claim", "layers", 1, "weight"), "-5"), (("claim", "layers", 1, "bias"), "-3")),
    )
    yield "one weight a little smaller", _changed("sigmoid", (("claim", "layers", 0, "weight"), "4999/1000"))
    yield "one weight a little greater", _changed("sigmoid", (("claim", "layers", 1, "weight"), "5001/1000"))
    yield "one bias moved by 1e-20", _changed("sigmoid", (("claim", "layers", 0, "bias"), "-5/2 + 1/10**20"))
    yield "one layer more", _changed("sigmoid", (("claim", "layers"), [layer] * 3))
    yield "one layer less", _changed("sigmoid", (("claim", "layers"), [layer]))
    yield "no layers", _changed("sigmoid", (("claim", "layers"), []))
    yield "the threshold a little greater", _changed("sigmoid", (("claim", "threshold"), "1001/1000"))
    yield "a threshold of 0", _changed("sigmoid, empty", (("claim", "threshold"), "0"))
    ramp = "(Max(-1, Min(1, z)) + 1)**2/4 + Max(0, z - 1)"
    split = [
        piece("-oo", "-1", "0", 0),
        piece("-1", "0", "(z + 1)**2/4", 1),
        piece("0", "1", "(z + 1)**2/4", 1),
        piece("1", "oo", "z", 1),
    ]
    nowhere = {"argument": "between", "places": ["-oo", "oo"]}
    yield "a steep cell after a flat one", _own(ramp, split, ["3/2", "1"], ["0", "0"], empty=nowhere)
    yield "a negative threshold that all exceed", _changed("tanh, empty", (("claim", "threshold"), "-1"))
    yield "a negative threshold", _changed("sigmoid", (("claim", "threshold"), "-1"))
    yield "another activation", _changed("sigmoid", (("claim", "activations", 0), TANH), (("cells",), [CELLS["tanh"]]))
    yield "another name", _changed("sigmoid", (("claim", "activations", 0, "activation"), "tanh"))
    yield "an unknown name", _changed("sigmoid", (("claim", "activations", 0, "activation"), "__class__"))
    yield "an activation that is not listed", _changed("sigmoid", (("claim", "layers", 1, "activation"), 1))
    yield "a negative number of an activation", _changed("sigmoid", (("claim", "layers", 1, "activation"), -1))
    yield "no activations", _changed("sigmoid", (("claim", "activations"), []), (("cells",), []))
    yield "ends swapped", _changed("sigmoid", (("set",), {"lower": upper, "upper": lower}))
    yield "outer and inner swapped", _changed("sigmoid", (("set", "lower"), end(lower["inner"], lower["outer"])))
    yield "a bracket beside the end", _changed("sigmoid", (("set", "lower"), end("0", "1/10")))
    yield "a bracket within", _changed("sigmoid", (("set", "upper"), end("51/100", "1/2")))
    yield "a half-line", _changed("sigmoid", (("set", "upper", "outer"), "oo"))
    yield "a half-line to the left", _changed("relu", (("set", "lower", "outer"), "-oo"))
    yield "an infinity on the wrong side", _changed("relu", (("set", "upper", "outer"), "-oo"))
    yield "an end that belongs with >", _changed("sigmoid", (("set", "lower", "open"), False))
    yield "an end that does not belong with >=", _changed("sigmoid, closed", (("set", "lower", "open"), True))
    yield "a kink that belongs", _changed("hard_tanh", (("set", "lower", "open"), False))
    yield "infinity belongs", _changed("relu, closed", (("set", "upper", "open"), False))
    yield ">= in place of >", _changed("sigmoid", (("claim", "strict"), False))
    yield "> in place of >=", _changed("sigmoid, closed", (("claim", "strict"), True))


def _emptiness():
    yield (
        "empty, and is not",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "tangents", "places": ["2/5", "3/5"]})),
    )
    yield (
        "empty by a box",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "between", "places": ["-oo", "oo"]})),
    )
    yield (
        "empty beyond",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "between", "places": ["2", "3"]})),
    )
    yield (
        "empty by slopes",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "steepest", "slopes": ["1/8"]})),
    )
    yield (
        "empty by great slopes",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "steepest", "slopes": ["1"]})),
    )
    yield (
        "empty by a weight that is not 0",
        _changed("sigmoid", (("set",), None), (("empty",), {"argument": "zero weight", "layer": 0})),
    )
    yield "empty by a layer that is not there", _changed("tanh, empty", (("empty", "layer"), 7))
    yield "empty by a layer from the end", _changed("tanh, empty", (("empty", "layer"), -2))
    yield (
        "not empty, and is",
        _changed(
            "sigmoid, empty", (("empty",), None), (("set",), {"lower": end("0", "1/2"), "upper": end("1", "1/2")})
        ),
    )
    yield "not empty with a weight of 0", _changed("tanh, empty", (("empty",), None), (("set",), _WIDE))
    yield "tangents on one side", _changed("sigmoid, empty", (("empty", "places"), ["3/5", "4/5"]))
    yield "tangents in disorder", _changed("sigmoid, empty", (("empty", "places"), ["3/5", "2/5"]))
    yield (
        "tangents too far apart",
        _changed("sigmoid, empty", (("claim", "threshold"), "1/2"), (("empty", "places"), ["-9", "9"])),
    )
    yield (
        "tangents at a constant layer",
        _changed("hard_tanh, empty", (("empty",), {"argument": "tangents", "places": ["-1", "2"]})),
    )
    yield "between in disorder", _changed("hard_tanh, empty", (("empty", "places"), ["2", "-1"]))
    beyond = chain_certificate([HARD_TANH], ["1", "1"], ["0", "0"], threshold="1/2")
    yield "constant on the other side", beyond | {"empty": {"argument": "between", "places": ["2", "3"]}}
    line = _own("z", [piece("-oo", "oo", "z", 1)], ["2", "2"], ["0", "0"])
    yield "slopes that are too small everywhere", line | {"empty": {"argument": "steepest", "slopes": ["1/9"]}}
    softer = chain_certificate([ELU], ["2", "2"], ["0", "0"], empty={"argument": "steepest", "slopes": ["1/9"]})
    yield "slopes that are too small", softer
    touching = chain_certificate(
        [RELU], ["2", "-3"], ["0", "1"], empty={"argument": "between", "places": ["-oo", "oo"]}
    )
    yield "a layer that is not constant everywhere", touching
    hidden = chain_certificate([RELU, HARD_TANH], ["1", "-5"], ["0", "5"], numbers=[0, 1])
    yield "constant at a kink alone", hidden | {"empty": {"argument": "between", "places": ["-1", "0"]}}
    equal = chain_certificate(
        [ELU], ["1", "1"], ["0", "0"], empty={"argument": "steepest", "slopes": ["1"]}, strict=False
    )
    yield "equal to the threshold, and >=", equal
    yield "both", _changed("sigmoid", (("empty",), {"argument": "zero weight", "layer": 0}))
    yield "neither", _changed("sigmoid", (("set",), None))


def _of_no_class():
    """Yield chains whose activations are not in class N."""
    selu = "Piecewise((z, z > 0), (3*exp(z)/2 - 3/2, True))"
    cells = [piece("-oo", "0", "3*exp(z)/2 - 3/2", 1), piece("0", "oo", "z", 1)]
    yield (
        "a slope that jumps",
        _own(selu, cells, ["2", "2"], ["0", "0"], {"lower": end("-9", "1"), "upper": end("oo", "1")}),
    )
    leaky = [piece("-oo", "0", "z/10", 1), piece("0", "oo", "z", 1)]
    yield (
        "a slope that jumps upwards",
        _own("Max(z/10, z)", leaky, ["2", "2"], ["0", "0"], {"lower": end("-9", "1"), "upper": end("oo", "1")}),
    )
    bend = [piece("-oo", "0", "z", 1), piece("0", "oo", "exp(z) - 1", 1)]
    text = "Piecewise((z, z < 0), (exp(z) - 1, True))"
    yield (
        "a bend that jumps upwards",
        _own(text, bend, ["1", "1"], ["0", "0"], {"lower": end("-9", "1"), "upper": end("oo", "1")}),
    )
    bumps = [piece("-oo", "0", "atan(z + 1) - atan(1)", 1), piece("0", "oo", "atan(1) - atan(1 - z)", 1)]
    yield (
        "two bumps that meet in a corner",  # all else that is checked is true, but the set is two intervals
        _own(
            "Piecewise((atan(z + 1) - atan(1), z < 0), (atan(1) - atan(1 - z), True))",
            bumps,
            ["1", "1/1000"],
            ["0", "1"],
            {"lower": end("-9", "-1"), "upper": end("9", "1")},
            threshold="3/4000",
        ),
    )
    yield (
        "a Schwarzian that is positive",
        _own("z + z**3", [piece("-oo", "oo", "z + z**3", 1)], ["1", "1"], ["0", "0"], _EVERYWHERE),
    )
    far = "atan(2*z) + z/1000"
    yield (
        "a Schwarzian that is positive far out",
        _own(
            far, [piece("-oo", "oo", far, 1)], ["2", "2"], ["0", "0"], {"lower": end("-9", "0"), "upper": end("9", "0")}
        ),
    )
    bump = "tanh(z) + tanh(50*(z - 100)) + 2"
    yield (
        "a second bump far out",
        _own(
            bump,
            [piece("-oo", "oo", bump, 1)],
            ["2", "2"],
            ["0", "-2"],
            {"lower": end("-9", "0"), "upper": end("9", "0")},
        ),
    )
    yield (
        "the second bump not in the piece",
        _own(bump, CELLS["tanh"], ["2", "2"], ["0", "0"], {"lower": end("-9", "0"), "upper": end("9", "0")}),
    )
    gelu = "z*(erf(sqrt(2)*z/2) + 1)/2"
    for name, sign in (("one sign", 1), ("the other sign", -1)):
        yield (
            f"gelu with {name}",
            _own(
                gelu,
                [piece("-oo", "oo", gelu, sign)],
                ["2", "2"],
                ["0", "0"],
                {"lower": end("-9", "1"), "upper": end("oo", "1")},
            ),
        )
    silu = "z/(1 + exp(-z))"
    yield (
        "silu with a forged piece",
        _own(silu, CELLS["sigmoid"], ["5", "5"], ["-5/2", "-5/2"], VALID_CHAINS["sigmoid"]["set"]),
    )
    soft = "Max(0, z - 1) + Min(0, z + 1)"
    gap = [piece("-oo", "-1", "z + 1", 1), piece("-1", "1", "0", 0), piece("1", "oo", "z - 1", 1)]
    yield (
        "a support in two parts",
        _own(soft, gap, ["2", "2"], ["0", "0"], {"lower": end("0", "3"), "upper": end("oo", "3")}),
    )
    jump = "Piecewise((0, z < 0), (z + 1, True))"
    yield (
        "a jump",
        _own(
            jump,
            [piece("-oo", "0", "0", 0), piece("0", "oo", "z + 1", 1)],
            ["2", "2"],
            ["0", "0"],
            {"lower": end("-1", "1"), "upper": end("oo", "1")},
        ),
    )
    clipped = "Max(-1, Min(1, z))**3"
    cells = [
        piece("-oo", "-1", "-1", 0),
        piece("-1", "0", "z**3", 1),
        piece("0", "1", "z**3", 1),
        piece("1", "oo", "1", 0),
    ]
    right = {"lower": end("0", "7/10"), "upper": end("1", "7/10")}
    yield "a slope of 0 between two bumps", _own(clipped, cells, ["1", "2"], ["0", "0"], right)
    later = "Piecewise((0, z <= 0), (z + 1, True))"
    cells = [piece("-oo", "0", "0", 0), piece("0", "oo", "z + 1", 1)]
    half_line = {"lower": end("-1", "1"), "upper": end("oo", "1")}
    yield "a jump beyond a joint", _own(later, cells, ["2", "2"], ["0", "0"], half_line)
    alone = "Piecewise((z, z < 0), (7, Eq(z, 0)), (z, True))"
    yield (
        "a value alone",
        _own(alone, [piece("-oo", "0", "z", 1), piece("0", "oo", "z", 1)], ["2", "2"], ["0", "0"], _EVERYWHERE),
    )
    yield (
        "a slope of 0 at a point",
        _own(
            "z**3",
            [piece("-oo", "0", "z**3", 1), piece("0", "oo", "z**3", 1)],
            ["2", "2"],
            ["0", "0"],
            {"lower": end("0", "2"), "upper": end("oo", "2")},
        ),
    )
    sine = "sin(z)"
    yield (
        "a periodic slope",
        _own(
            sine,
            [piece("-oo", "oo", sine, 1)],
            ["2", "2"],
            ["0", "0"],
            {"lower": end("-1", "0"), "upper": end("1", "0")},
        ),
    )
    flat = _changed(
        "sigmoid",
        (("claim", "activations", 0), {"activation": None, "expression": "1"}),
        (("cells",), [[piece("-oo", "oo", "1", 0)]]),
    )
    yield "a constant", flat


def _cells():
    yield "no cells", _changed("sigmoid", (("cells",), [[]]))
    yield "cells that leave a gap", _changed("relu", (("cells", 0, 1, "left"), "1"))
    yield "cells that do not reach infinity", _changed("sigmoid", (("cells", 0, 0, "right"), "64"))
    yield "a wrong piece", _changed("relu", (("cells", 0, 1, "piece"), "2*z"))
    yield "a wrong sign of the slope", _changed("sigmoid", (("cells", 0, 0, "sign"), -1))
    yield "a slope said to be 0", _changed("sigmoid", (("cells", 0, 0, "sign"), 0))
    yield "a slope said not to be 0", _changed("relu", (("cells", 0, 0, "sign"), 1))
    yield "a wrong joint", _changed("relu", (("cells", 0, 0, "right"), "1/9"), (("cells", 0, 1, "left"), "1/9"))


def _spellings():
    yield "an unknown field", _changed("sigmoid", (("note",), "0"))
    yield "an unknown field of a layer", _changed("sigmoid", (("claim", "layers", 0, "note"), "0"))
    yield "a missing field", _changed("sigmoid", (("empty",), ...))
    yield "a missing field of an end", _changed("sigmoid", (("set", "lower", "open"), ...))
    yield "the fields of the other kind", _changed("sigmoid", (("method",), "certified"))
    yield "another kind", _changed("sigmoid", (("claim", "kind"), "explosion set"))
    yield "another format", _changed("sigmoid", (("format",), "gradtheory-certificate/2"))
    yield "a fraction not in lowest terms", _changed("sigmoid", (("set", "lower", "outer"), "-4/2"))
    yield "a decimal", _changed("sigmoid", (("set", "lower", "outer"), "-2.0"))
    yield "a float", _changed("sigmoid", (("set", "lower", "outer"), -2.0))
    yield "null for an end", _changed("sigmoid", (("set", "lower", "outer"), None))
    yield "null for a place", _changed("sigmoid, empty", (("empty", "places"), [None, "3/5"]))
    yield "infinity in tangents", _changed("sigmoid, empty", (("empty", "places"), ["-oo", "3/5"]))
    yield "a huge number", _changed("sigmoid", (("set", "lower", "outer"), "-1" + "0" * 5000))
    yield "a huge power", _changed("sigmoid", (("claim", "layers", 0, "weight"), "10**10**10"))
    yield "a variable for a weight", _changed("sigmoid", (("claim", "layers", 0, "weight"), "z"))
    yield "no number for a weight", _changed("sigmoid", (("claim", "layers", 0, "weight"), 5))
    yield "no number for a bias", _changed("tanh, empty", (("claim", "layers", 0, "bias"), "log(-1)"))
    yield "true for a layer", _changed("tanh, empty", (("empty", "layer"), True))
    yield "an argument that is unknown", _changed("sigmoid, empty", (("empty", "argument"), "obvious"))
    yield "lists of cells too many", _changed("sigmoid", (("cells",), [CELLS["sigmoid"]] * 2))
    yield "a slope too many", _changed("elu, empty", (("empty", "slopes"), ["1", "1"]))
    yield "text for strict", _changed("sigmoid", (("claim", "strict"), "true"))


OF_NO_CLASS = dict(_of_no_class())
CHAIN_FORGERIES = dict([*_claims(), *_emptiness(), *_of_no_class(), *_cells(), *_spellings()])
