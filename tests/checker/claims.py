"""Whether what a certificate claims is true, by mpmath at 50 digits: it shares nothing with the checker or the solver."""

import ast
import itertools
from fractions import Fraction

import mpmath

import gradtheory as gt

_DIGITS, _STEP, _TOLERANCE = 90, mpmath.mpf(10) ** -30, mpmath.mpf(10) ** -25
_SHARES = ("1e-12", "0.003", "0.21", "0.5", "0.77", "0.9991")  # of the way between two places
_AWAY = ("1e-12", "0.001", "0.4", "3", "19", "20.5", "63", "100", "5000")  # beyond the last place
_FUNCTIONS = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "Abs": abs,
    "sign": mpmath.sign,
    "Max": max,
    "Min": min,
    "Eq": lambda left, right: left == right,
    **{name: getattr(mpmath, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "sech", "coth")},
    **{name: getattr(mpmath, name) for name in ("asinh", "acosh", "atanh", "atan", "erf", "erfc")},
}
_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: mpmath.mpf(a) ** b,
    ast.BitAnd: lambda a, b: a and b,
    ast.BitOr: lambda a, b: a or b,
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}


def value(text, z=None):
    """Return an expression at z."""
    return _value(ast.parse(text, mode="eval").body, z)


def _value(node, z):  # noqa: PLR0911  # one a kind of node
    match node:
        case ast.Constant():
            return node.value if isinstance(node.value, bool) else mpmath.mpf(node.value)
        case ast.Name():
            return {"z": z, "pi": mpmath.pi, "E": mpmath.e}[node.id]
        case ast.UnaryOp():
            return -_value(node.operand, z)
        case ast.BinOp():
            return _OPERATORS[type(node.op)](_value(node.left, z), _value(node.right, z))
        case ast.Compare():
            return _OPERATORS[type(node.ops[0])](_value(node.left, z), _value(node.comparators[0], z))
        case ast.Call(func=ast.Name(id="Piecewise")):
            return next(_value(pair.elts[0], z) for pair in node.args if _value(pair.elts[1], z))
        case ast.Call():
            return _FUNCTIONS[node.func.id](*(_value(each, z) for each in node.args))
    raise AssertionError(ast.dump(node))


def slope(expression, z, side=0):
    """Return σ'(z), or the slope on one side."""
    left, right = (z - _STEP, z + _STEP) if side == 0 else (z, z + side * _STEP)
    return (value(expression, right) - value(expression, left)) / (right - left)


def false_in(data):
    """Return what is false in the claim of a certificate, as far as points tell; None if nothing is."""
    if data["claim"]["kind"] == "total explosion set":
        from tests.checker.chain_claims import false_in_chain  # not at the top: it uses this file

        return false_in_chain(data)
    with mpmath.workdps(_DIGITS):
        return next(_falsehoods(data), None)


def _falsehoods(data):
    claim = data["claim"]
    expression = claim["expression"]
    weight, threshold = value(claim["weight"]), value(claim["threshold"])
    if threshold <= 0:
        yield "a threshold that is not positive"
    if claim["activation"] is not None:
        formula = str(gt.activation(claim["activation"]).expr)
        for z in (mpmath.mpf(-7) / 3, mpmath.mpf(2) / 7, mpmath.mpf(5)):
            if abs(value(formula, z) - value(expression, z)) > _TOLERANCE:
                yield "another activation"
    level = threshold / abs(weight) if weight else mpmath.inf
    yield from _false_crossings(data, expression, level)
    yield from _false_points(data, expression, level)
    yield from _false_joints(data, expression, level)


def _false_crossings(data, expression, level):
    for i, crossing in enumerate(data["crossings"]):
        ends = [
            mpmath.mpf(Fraction(crossing[side]).numerator) / Fraction(crossing[side]).denominator for side in _SIDES
        ]
        gaps = [abs(slope(expression, end)) - level for end in ends]
        if gaps[0] * gaps[1] > 0 and min(map(abs, gaps)) > _TOLERANCE:
            yield f"crossings[{i}] holds no crossing"


_SIDES = ("lower", "upper")


def _ends(data):
    """Return the ends of the cells, each with a lower and an upper bound."""
    places = [data["cells"][0]["left"], *(cell["right"] for cell in data["cells"])]
    return [
        (value(end), value(end)) if isinstance(end, str) else tuple(map(value, end)) for end in map(_finite, places)
    ]


def _finite(end):
    return {"oo": "10**400", "-oo": "-10**400"}.get(end, end) if isinstance(end, str) else end


def _bounds(data):
    """Return the components as lower and upper bounds, each an interval."""
    ends = _ends(data)

    def bound(name):
        if isinstance(name, str):
            return (value(_finite(name)),) * 2
        ((kind, i),) = name.items()
        return ends[i + 1] if kind == "end" else tuple(value(data["crossings"][i][side]) for side in _SIDES)

    return [(bound(each["lower"]), bound(each["upper"])) for each in data["components"]]


def _false_points(data, expression, level):
    """Yield points, away from the ends, that are in the set and not in a component, or the other way round."""
    bounds, ends = _bounds(data), _ends(data)
    left, right = ends[0][1], ends[-1][0]
    places = sorted({x for pair in [*ends, *itertools.chain(*bounds)] for x in pair if abs(x) < mpmath.mpf(10) ** 300})
    points = [a + (b - a) * mpmath.mpf(share) for a, b in itertools.pairwise(places) for share in _SHARES]
    first, last = (places[0], places[-1]) if places else (mpmath.mpf(0),) * 2
    points += [last + mpmath.mpf(step) for step in _AWAY] + [first - mpmath.mpf(step) for step in _AWAY]
    for z in points:
        if not left < z < right:
            continue
        gap = abs(slope(expression, z)) - level
        inside = any(lower[1] < z < upper[0] for lower, upper in bounds)
        outside = not any(lower[0] <= z <= upper[1] for lower, upper in bounds)
        if abs(gap) > _TOLERANCE and ((gap > 0 and outside) or (gap < 0 and inside)):
            yield f"at {mpmath.nstr(z, 12)} |σ'| - t is {mpmath.nstr(gap, 5)}"


def _false_joints(data, expression, level):
    """Yield ends of cells that belong and should not, or should and do not, where that is beyond doubt."""
    for j, end in enumerate(_ends(data)[1:-1]):
        if end[0] != end[1]:
            continue
        slopes = [slope(expression, end[0], side) for side in (-1, 1)]
        gap = max(map(abs, slopes)) - level
        belongs = any(_holds(part, j, data) for part in data["components"])
        if abs(slopes[0] - slopes[1]) > mpmath.mpf(10) ** -9 and belongs:
            yield f"the kink at the end of cells[{j}] belongs"
        if abs(slopes[0] - slopes[1]) < _TOLERANCE and abs(gap) > mpmath.mpf(10) ** -20 and (gap > 0) != belongs:
            yield f"the end of cells[{j}] is on the wrong side"


def _holds(part, j, data):
    """Whether a component holds the right end of cell j."""
    if {"end": j} in (part["lower"], part["upper"]):
        return any(part[side] == {"end": j} and not part[f"{side}_open"] for side in _SIDES)
    (lower, _), (_, upper) = _bounds({**data, "components": [part]})[0]
    return lower < _ends(data)[j + 1][0] < upper
