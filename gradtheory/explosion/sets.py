r"""Where one factor σ'(wx + b)·w of the gradient exceeds a threshold c in absolute value: for which x, w or b.

With t = c/|w|:  |σ'(wx + b)·w| > c  ⇔  z = wx + b ∈ U_t = {z : |σ'(z)| > t}.  The inputs x are (U_t - b)/w and the
biases are U_t - wx, affine pull-backs of one superlevel set. For the weights, with x ≠ 0, |σ'(z)·(z - b)| > c·|x|.
"""

from collections.abc import Sequence

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.jumps import jumps_of
from gradtheory.activations.slopes.profile import Profile
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import is_infinite, sign
from gradtheory.arithmetic.inputs import DIGITS, read_positive, read_real
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.budget import limited
from gradtheory.explosion.superlevel import (
    Component,
    OneLevel,
    Periodic,
    SuperlevelSet,
    as_set,
    components_of,
    repeated,
    superlevel,
    superlevel_sets,
    with_margin,
)
from gradtheory.typing import ActivationLike, NumberLike


@limited
def explosion_set(
    activation: ActivationLike,
    w: NumberLike,
    b: NumberLike = 0,
    *,
    threshold: NumberLike = 1,
    strict: bool = True,
    domain: sympy.Interval | Sequence[NumberLike] | None = None,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
) -> sympy.Set:
    r"""Return the set of inputs x with |σ'(wx + b)·w| > c.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        A name in the catalogue, your own expression in one real symbol, or a record.
    w, b : number
        Weight and bias: exact (int, Fraction, Decimal, str, SymPy number), or a float, taken at its exact binary value.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.
    domain : sympy.Interval or pair of numbers, optional
        The interval, closed if given as a pair, to which the answer is restricted; the whole line by default.
    method : {"auto", "closed_form", "certified"}
        Ends from the closed forms of the record, or from roots isolated with a proof; "auto" takes closed forms where
        there are any.
    digits : int
        The number of decimal digits to which a comparison is tried before it is called undecided.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Set
        A union of intervals with exact or certified ends, the empty set, or for ``strict=False`` possibly points.
        Kinks and jumps, where σ has no derivative, never belong to it. A periodic slope gives a `Periodic` set, or a
        plain union on a bounded domain. It is proven complete, for your own expression too.

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
    Interval.open(-10/9 + 10*Root(1.14543411099…)/9, -10/9 + 10*Root(1.74797915654…)/9)
    >>> explosion_set("sine", w=2)
    Periodic(Interval.open(-pi/6, pi/6), pi/2)
    >>> explosion_set("sine", w=2, domain=(0, 2))
    Union(Interval.Ropen(0, pi/6), Interval.Lopen(pi/3, 2))

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, bias = read_real(w, "w"), read_real(b, "b")
    superlevel_set, region = superlevel_sets(method, digits, strict=strict), _read_domain(domain)
    direction = sign(weight)
    if direction == 0:
        return sympy.S.EmptySet  # every factor is 0, which is less than c
    level = c / (direction * weight)
    there = superlevel(record, level, superlevel_set, _image(region, weight, bias, direction))
    return _restrict(_pull_back(there, weight, bias, direction), region)


@limited
def exploding_weights(
    activation: ActivationLike,
    *,
    x: NumberLike,
    b: NumberLike = 0,
    threshold: NumberLike = 1,
    strict: bool = True,
    domain: sympy.Interval | Sequence[NumberLike] | None = None,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
) -> sympy.Set:
    r"""Return the set of weights w with |σ'(wx + b)·w| > c, for one input x and one bias b.

    Parameters
    ----------
    activation, threshold, strict, domain, method, digits
        As in `explosion_set`; the domain is an interval of weights.
    x, b : number
        Input and bias.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Set
        A union of intervals with exact or certified ends, as in `explosion_set`.

    Raises
    ------
    InvalidArgument, NoClosedForm, Undecided
        As `explosion_set`. For a periodic slope and x ≠ 0 the set has infinitely many parts of different lengths: it
        is undecided without a bounded domain.

    Examples
    --------
    >>> exploding_weights("tanh", x=0)
    Union(Interval.open(-oo, -1), Interval.open(1, oo))
    >>> exploding_weights("arctan", x=1, threshold="2/5")
    Union(Interval.open(-2, -1/2), Interval.open(1/2, 2))

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    bias, place = read_real(b, "b"), read_real(x, "x")
    superlevel_set, region = superlevel_sets(method, digits, strict=strict), _read_domain(domain)
    direction = sign(place)
    if direction == 0:
        return _restrict(_weights_at_zero(record, bias, c, strict=strict), region)
    name = f"σ'(z)·(z - b) for {record.name}"
    around = with_margin(_image(region, place, bias, direction))
    profile = Profile.of(name, record.slope_expr * (Z - bias), around, jumps=jumps_of(record.expr, around))
    return _restrict(_pull_back(superlevel_set(profile, c * direction * place), place, bias, direction), region)


@limited
def exploding_biases(
    activation: ActivationLike,
    *,
    w: NumberLike,
    x: NumberLike,
    threshold: NumberLike = 1,
    strict: bool = True,
    domain: sympy.Interval | Sequence[NumberLike] | None = None,
    method: str = "auto",
    digits: int = DIGITS,
    effort: float = EFFORT,
) -> sympy.Set:
    r"""Return the set of biases b with |σ'(wx + b)·w| > c, for one weight w and one input x.

    Parameters
    ----------
    activation, threshold, strict, domain, method, digits
        As in `explosion_set`; the domain is an interval of biases.
    w, x : number
        Weight and input.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Set
        As in `explosion_set`.

    Raises
    ------
    InvalidArgument, NoClosedForm, Undecided
        As `explosion_set`.

    Examples
    --------
    >>> exploding_biases("relu", w=2, x=1)
    Interval.open(-2, oo)

    """
    record, c = as_activation(activation), read_positive(threshold, "threshold")
    weight, place = read_real(w, "w"), read_real(x, "x")
    superlevel_set, region = superlevel_sets(method, digits, strict=strict), _read_domain(domain)
    direction = sign(weight)
    if direction == 0:
        return sympy.S.EmptySet  # every factor is 0, which is less than c
    level, shift = c / (direction * weight), weight * place
    there = superlevel(record, level, superlevel_set, _image(region, sympy.S.One, shift, 1))
    return _restrict(_pull_back(there, sympy.S.One, shift, 1), region)


def _image(region: Component | None, scale: sympy.Expr, shift: sympy.Expr, direction: int) -> Component | None:
    """Return {scale·x + shift : x in the region}; `direction` is the sign of the scale."""
    return None if region is None else region.affine(1 / scale, -shift / scale, mirrored=direction < 0)


def _pull_back(
    level: SuperlevelSet | OneLevel, scale: sympy.Expr, shift: sympy.Expr, direction: int
) -> Sequence[Component] | sympy.Set:
    """Return {x : scale·x + shift is in the superlevel set}; `direction` is the sign of the scale."""
    parts = [part.affine(scale, shift, mirrored=direction < 0) for part in level.components()][::direction]
    if isinstance(level, OneLevel) or level.profile.period is None:
        return parts
    period = level.profile.period
    first = level.profile.branches[0].left if direction > 0 else level.profile.branches[-1].right
    return repeated(parts, (first - shift) / scale, period / abs(scale), ends_belong=level.has_ends_of_periods)


def _weights_at_zero(record: Activation, bias: sympy.Expr, c: sympy.Expr, *, strict: bool) -> list[Component]:
    """Return {w : |σ'(b)·w| > c}, which is what x = 0 leaves."""
    if record.is_kink(bias):
        return []
    size = record.profile.size_at(bias)
    if sign(size) == 0:
        return []
    least = c / size
    return [Component(-sympy.oo, -least, upper_open=strict), Component(least, sympy.oo, lower_open=strict)]


def _read_domain(domain: sympy.Interval | Sequence[NumberLike] | None) -> Component | None:
    """Return the domain as a component; None for the whole line."""
    match domain:
        case None:
            return None
        case sympy.Interval() if not domain.free_symbols:
            first, last = (end if end.is_infinite else read_real(end, "domain") for end in (domain.start, domain.end))
            return Component(first, last, bool(domain.left_open), bool(domain.right_open))
        case (lower, upper):
            first, last = read_real(lower, "domain[0]"), read_real(upper, "domain[1]")
            if sign(last - first) >= 0:
                return Component(first, last, lower_open=False, upper_open=False)
    raise InvalidArgument("domain", domain, "must be a SymPy Interval or a pair of numbers in order, such as (0, 1)")


def _restrict(parts: Sequence[Component] | sympy.Set, region: Component | None) -> sympy.Set:
    """Return the part of a set in a region, as a SymPy set."""
    if region is None:
        return parts if isinstance(parts, sympy.Set) else as_set(parts)
    if isinstance(parts, Periodic):
        if is_infinite(region.length):
            raise InvalidArgument("domain", f"({region.lower}, {region.upper})", "must be bounded for a periodic slope")
        return as_set(list(parts.within(region)))
    if isinstance(parts, sympy.Set):
        parts = components_of(parts)
    return as_set([inner for part in parts for inner in part.within(region)])
