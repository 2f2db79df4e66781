"""Whether what a certificate of a chain claims is true at points, by mpmath with many digits."""

from fractions import Fraction

import mpmath

from tests.checker.claims import slope, value

_MORE_DIGITS = 90
_SHARES = (0, "1e-9", "0.01", "0.3", "0.5", "0.8", "0.999", 1)
_AWAY = ("1e-9", "0.01", "0.4", "1", "3", "10", "40")
_TOLERANCE = mpmath.mpf(10) ** -20


def gradient(data, x):
    """Return |f'(x)| at an input; 0 at a kink, which does not belong to the set."""
    activations = [each["expression"] for each in data["claim"]["activations"]]
    a, product = as_number(x), mpmath.mpf(1)
    for layer in data["claim"]["layers"]:
        weight, bias = value(layer["weight"]), value(layer["bias"])
        z = weight * a + bias
        sigma = activations[layer["activation"]]
        left, right = slope(sigma, z, -1), slope(sigma, z, 1)
        product *= weight * (slope(sigma, z) if abs(left - right) < (1 + abs(left)) / mpmath.mpf(10) ** 9 else 0)
        a = value(sigma, z)
    return abs(product)


def as_number(x):
    return mpmath.mpf(x.numerator) / x.denominator if isinstance(x, Fraction) else mpmath.mpf(x)


def false_in_chain(data):
    """Return what is false in the claim of a chain's certificate, as far as points tell; None if nothing is."""
    digits = max(map(len, _texts(data)))
    with mpmath.workdps(_MORE_DIGITS + 2 * digits):
        level = value(data["claim"]["threshold"])
        for x, is_inside in _points(data):
            gap = gradient(data, x) / level - 1
            if (gap < -_TOLERANCE) if is_inside else (gap > _TOLERANCE):
                return f"at {mpmath.nstr(x, 12)} |f'|/c - 1 is {mpmath.nstr(gap, 5)}"
    return None


def _texts(data):
    for each in data.values() if isinstance(data, dict) else data:
        if isinstance(each, dict | list):
            yield from _texts(each)
        elif isinstance(each, str):
            yield each
    yield ""


def _points(data):
    """Yield inputs, and whether each is claimed to belong to the set."""
    if data["set"] is None:
        places = [x for x in (data["empty"].get("places") or []) if x not in ("-oo", "oo")] or ["0"]
        first, last = (as_number(Fraction(places[i])) for i in (0, -1))
        for share in _SHARES:
            yield first + (last - first) * mpmath.mpf(share), False
        for step in _AWAY:
            yield first - mpmath.mpf(step), False
            yield last + mpmath.mpf(step), False
        return
    lower, upper = data["set"]["lower"], data["set"]["upper"]
    first, last = (as_number(Fraction(each["inner"])) for each in (lower, upper))
    for share in _SHARES:
        yield first + (last - first) * mpmath.mpf(share), True
    for each, at, side in ((lower, first, -1), (upper, last, 1)):
        is_infinite = each["outer"] in ("-oo", "oo")
        outer = at if is_infinite else as_number(Fraction(each["outer"]))
        for step in (0, *_AWAY):
            yield outer + side * mpmath.mpf(step), is_infinite
