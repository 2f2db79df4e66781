r"""Where one factor σ'(wx + b)·w of the gradient exceeds a threshold c in absolute value.

With t = c/|w|:  |σ'(wx + b)·w| > c  ⇔  z = wx + b ∈ U_t = {z : |σ'(z)| > t}.  The explosion set in x is
(U_t - b)/w, an affine pull-back, and its length is |U_t|/|w|, whatever b and the sign of w.
"""

from collections.abc import Sequence
from typing import Any

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.analysis import WINDOW
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import DIGITS, one_of, read_bits, read_positive, read_real
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.superlevel import (
    METHODS,
    Component,
    Periodic,
    SuperlevelSet,
    as_set,
    components_of,
    repeated,
    total_length,
)
from gradtheory.typing import ActivationLike


def explosion_set(
    activation: ActivationLike,
    w: Any = None,
    b: Any = 0,
    *,
    x: Any = None,
    threshold: Any = 1,
    strict: bool = True,
    solve_for: str = "x",
    domain: Any = None,
    method: str = "auto",
    digits: int = DIGITS,
) -> sympy.Set:
    r"""Return the set of inputs x, or of weights w, or of biases b, with |σ'(wx + b)·w| > c.

    Parameters
    ----------
    activation : str, Activation or sympy.Expr
        A name in the catalogue, a record, or your own expression in one real symbol.
    w, b, x : number
        Weight, bias and input: all but the one solved for; b is 0 unless given. Exact (int, Fraction, Decimal, str,
        SymPy number) or a float's exact binary value.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.
    solve_for : {"x", "w", "b"}
        The variable of the set.
    domain : sympy.Interval or pair of numbers, optional
        The interval, closed if given as a pair, to which the answer is restricted; the whole line unless given.
    method : {"auto", "closed_form", "certified"}
        Ends by the closed forms of the record, or by roots isolated with a proof; "auto" takes the first where there
        is one.
    digits : int
        To how many digits a comparison is tried before it is called undecided.

    Returns
    -------
    sympy.Set
        A union of intervals with exact or certified ends, the empty set, or for ``strict=False`` possibly points.
        Kinks and jumps, where σ has no derivative, never belong to it. A periodic slope gives a `Periodic` set, or a
        plain union on a bounded domain. For your own expression, and for ``solve_for="w"``, it is
        proven complete for pre-activations on a window; beyond it rests on the limits that SymPy finds.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    NoClosedForm
        If closed forms are asked for, and there are none.
    Undecided
        If a proof does not succeed; the message says how to ask for more digits.

    Examples
    --------
    >>> explosion_set("sigmoid", w=7, b=1)
    Interval.open(-2*asinh(sqrt(3)/2)/7 - 1/7, -1/7 + 2*asinh(sqrt(3)/2)/7)
    >>> explosion_set("sigmoid", w=4)
    EmptySet
    >>> explosion_set("sigmoid", w=4, strict=False)
    {0}
    >>> explosion_set("relu", w=-2)
    Interval.open(-oo, 0)
    >>> explosion_set("gelu", w="0.9", b=1)
    Interval.open(-10/9 + 10*Root(1.14543411100…)/9, -10/9 + 10*Root(1.74797915655…)/9)
    >>> explosion_set("tanh", x=0, b=0, solve_for="w")
    Union(Interval.open(-oo, -1), Interval.open(1, oo))
    >>> explosion_set("sine", w=2)
    Periodic(Interval.open(-pi/6, pi/6), pi/2)
    >>> explosion_set("sine", w=2, domain=(0, 2))
    Union(Interval.Ropen(0, pi/6), Interval.Lopen(pi/3, 2))

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    given = _given(solve_for, {"w": w, "b": b, "x": x})
    options: dict[str, Any] = {
        "strict": strict,
        "method": one_of(method, "method", METHODS),
        "most_bits": read_bits(digits),
    }
    region = _region(domain)
    if solve_for == "w":
        return _restricted(_weights(record, given["b"], given["x"], c, options), region)
    weight = given["w"]
    direction = sign(weight)
    if direction == 0:
        return sympy.S.EmptySet  # every factor is 0, which is less than c
    level = SuperlevelSet(record.profile, c / abs(weight), **options)
    if solve_for == "b":
        return _restricted(_pulled_back(level, sympy.S.One, weight * given["x"], 1), region)
    return _restricted(_pulled_back(level, weight, given["b"], direction), region)


def _pulled_back(
    level: SuperlevelSet, scale: sympy.Expr, shift: sympy.Expr, direction: int
) -> Sequence[Component] | sympy.Set:
    """Return {x : scale·x + shift is in the superlevel set}; `direction` is the sign of the scale."""
    pieces = [each.affine(scale, shift, mirrored=direction < 0) for each in level.components()][::direction]
    period = level.profile.period
    if period is None:
        return pieces
    first = level.profile.branches[0].left if direction > 0 else level.profile.branches[-1].right
    return repeated(pieces, (first - shift) / scale, period / abs(scale), ends_belong=level.holds_between_periods())


def _region(domain: Any) -> Component | None:
    """Return the domain as a component; None for the whole line."""
    match domain:
        case None:
            return None
        case sympy.Interval() if not domain.free_symbols:
            return Component(domain.start, domain.end, bool(domain.left_open), bool(domain.right_open))
        case (lower, upper):
            first, last = read_real(lower, "domain[0]"), read_real(upper, "domain[1]")
            if sign(last - first) >= 0:
                return Component(first, last, lower_open=False, upper_open=False)
    raise InvalidArgument("domain", domain, "must be a SymPy Interval or a pair of numbers in order, such as (0, 1)")


def _restricted(found: Sequence[Component] | sympy.Set, region: Component | None) -> sympy.Set:
    """Return the part of a set in a region."""
    if region is None:
        return found if isinstance(found, sympy.Set) else as_set(found)
    if isinstance(found, Periodic):
        if region.length.is_infinite:
            raise InvalidArgument("domain", f"({region.lower}, {region.upper})", "must be bounded for a periodic slope")
        found = tuple(found.copies(region.lower, region.upper))
    elif isinstance(found, sympy.Set):
        found = components_of(found)
    return as_set([part for each in found for part in each.within(region)])


def _options(method: str, digits: int) -> dict[str, Any]:
    return {"method": one_of(method, "method", METHODS), "most_bits": read_bits(digits)}


def _given(solve_for: str, values: dict[str, Any]) -> dict[str, sympy.Expr]:
    """Return the exact values of the variables that are not solved for; x is not asked for where x is."""
    wanted = one_of(solve_for, "solve_for", tuple(values))
    if values[wanted] is not (0 if wanted == "b" else None):
        raise InvalidArgument(wanted, values[wanted], f"must not be given where solve_for={wanted!r}")
    needed = {"x": "wb", "w": "bx", "b": "wx"}[wanted]
    return {name: read_real(values[name], name) for name in needed}


def _weights(
    record: Activation, bias: sympy.Expr, x: sympy.Expr, c: sympy.Expr, options: dict[str, Any]
) -> list[Component]:
    """Return {w : |σ'(wx + b)·w| > c}: with z = wx + b that reads |σ'(z)·(z - b)| > c·|x|."""
    direction = sign(x)
    if direction:
        name = f"σ'(z)·(z - b) for {record.name}"
        window = WINDOW + 2 * sympy.ceiling(abs(bias))
        profile = Profile.found(name, record.slope_expr * (Z - bias), window)
        in_z = SuperlevelSet(profile, c * abs(x), **options).components()
        return [component.affine(x, bias, mirrored=direction < 0) for component in in_z][::direction]
    slope = abs(record.slope_expr.subs(Z, bias))
    if bias in record.kinks or sign(slope) == 0:
        return []
    least, strict = c / slope, options["strict"]
    return [Component(-sympy.oo, -least, upper_open=strict), Component(least, sympy.oo, lower_open=strict)]


def explosion_width(
    activation: ActivationLike, w: Any, *, threshold: Any = 1, method: str = "auto", digits: int = DIGITS
) -> sympy.Expr:
    r"""Return the exact or certified total length of the explosion set, |U_t|/|w| with t = c/|w|.

    Parameters
    ----------
    activation, w, threshold, method, digits
        As `explosion_set`; the bias does not matter.

    Returns
    -------
    sympy.Expr
        The length; 0 where nothing explodes, oo where the set is unbounded or repeats.

    Raises
    ------
    InvalidArgument, NoClosedForm, Undecided
        As `explosion_set`.

    Examples
    --------
    >>> explosion_width("sigmoid", w=7)
    4*asinh(sqrt(3)/2)/7
    >>> explosion_width("relu", w=2), explosion_width("relu", w=1)
    (oo, 0)

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    size = abs(read_real(w, "w"))
    if sign(size) == 0:
        return sympy.S.Zero
    length = total_length(SuperlevelSet(record.profile, c / size, **_options(method, digits)).components()) / size
    return sympy.oo if record.period is not None and length != 0 else length


def critical_weight(activation: ActivationLike, *, threshold: Any = 1) -> sympy.Expr:
    r"""Return c/sup|σ'|: no input explodes unless |w| exceeds it.

    Parameters
    ----------
    activation : str, Activation or sympy.Expr
        As `explosion_set`.
    threshold : number
        c > 0.

    Raises
    ------
    InvalidArgument, NoClosedForm
        As `explosion_set`.

    Examples
    --------
    >>> critical_weight("sigmoid"), critical_weight("erf", threshold=2)
    (4, sqrt(pi))

    """
    return read_positive(threshold, "threshold") / as_activation(activation).steepest_slope
