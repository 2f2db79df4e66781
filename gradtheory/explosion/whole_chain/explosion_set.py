r"""Where the whole product |∂a_L/∂x| = Π|σ'(z_l) w_l| of a chain with given weights exceeds a threshold.

In class N the set is one interval (see `one_interval`). In general the line of inputs is first cut where a layer passes
a kink; on each cell, the places where the product G is c or -c are isolated with a proof, as for a single factor.
"""

from collections.abc import Iterable, Iterator, Sequence

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import is_infinite, sign
from gradtheory.arithmetic.inputs import read_exact_parameters, read_positive
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.sets import explosion_set
from gradtheory.explosion.superlevel import Component, SuperlevelSet, as_set
from gradtheory.explosion.whole_chain.cell import Cell
from gradtheory.explosion.whole_chain.one_interval import has_one_interval, one_interval
from gradtheory.typing import NumberLike


@limited
def total_explosion_set(
    chain: Chain,
    *,
    w: Sequence[NumberLike],
    b: Sequence[NumberLike],
    threshold: NumberLike = 1,
    strict: bool = True,
    effort: float = EFFORT,
) -> sympy.Set:
    r"""Return the set of inputs x at which the whole product |∂a_L/∂x| = Π|σ'(z_l) w_l| exceeds c.

    Parameters
    ----------
    chain : Chain
        Of concrete depth.
    w, b : sequence of numbers
        The weights and biases of all layers, exact.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.
    effort : float
        How much work the proof may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Set
        A union of intervals with exact or certified ends, proven complete on the whole line. Inputs at which a layer
        stands at a kink never belong to it.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If a proof does not succeed: the product may touch the threshold without crossing it.

    Examples
    --------
    >>> chain = Chain(depth=2, activation="arctan")
    >>> total_explosion_set(chain, w=[2, 2], b=[0, 0])
    Interval.open(ExplosionEnd(-0.366638232336…), ExplosionEnd(0.366638232336…))

    """
    refuse_periodic_slopes(chain)
    c, strict = read_positive(threshold, "threshold"), read_flag(strict, "strict")
    weights, biases = (read_exact_parameters(values, name, chain.depth) for values, name in ((w, "w"), (b, "b")))
    return set_of_layers(Layers(chain.layer_activations, tuple(weights), tuple(biases)), c, strict=strict)


def refuse_periodic_slopes(chain: Chain) -> None:
    """Refuse chains whose set may have infinitely many parts."""
    if any(activation.period is not None for activation in read_concrete_chain(chain).layer_activations):
        raise InvalidArgument("chain", chain, "must not have periodic slopes: the set may have infinitely many parts")


def set_of_layers(layers: Layers, c: sympy.Expr, *, strict: bool) -> sympy.Set:
    """Return the inputs of the first layer at which the product of all factors exceeds c."""
    if len(layers) == 1:
        return explosion_set(layers.activations[0], layers.w[0], layers.b[0], threshold=c, strict=strict)
    if has_one_interval(layers):
        interval = one_interval(layers, c, strict=strict)
        return as_set([interval] if interval else [])
    return as_set(_by_cells(layers, c, strict=strict))


def _by_cells(layers: Layers, c: sympy.Expr, *, strict: bool) -> list[Component]:
    """Return the parts of the set, found on each interval on which every layer keeps to one smooth formula.

    They are sought in the first pre-activation z: beside a bias of 1e30 inputs differ in their thirtieth digit.
    """
    scale, shift = layers.w[0], layers.b[0]
    if (direction := sign(scale)) == 0:
        return []  # the product is 0, which is less than c
    in_z = Layers(layers.activations, (sympy.S.One, *layers.w[1:]), (sympy.S.Zero, *layers.b[1:]))
    parts = _in_pre_activation(in_z, c / (direction * scale), strict=strict)
    return [part.affine(scale, shift, mirrored=direction < 0) for part in parts][::direction]


def _in_pre_activation(layers: Layers, c: sympy.Expr, *, strict: bool) -> list[Component]:
    cells = list(_candidates(layers.activations, layers.w, c))
    for layer in zip(layers.w, layers.b, layers.activations, strict=True):
        cells = [smaller for cell in cells for smaller in cell.extended(*layer)]
    parts: list[Component] = []
    before = None
    for cell in cells:
        own = list(cell.components(c, strict=strict))
        if before == cell.lower and cell.follows_smoothly:
            _meet(parts, own, cell, c, strict=strict)
        parts += own
        before = cell.upper
    return parts


def _meet(left: list[Component], right: list[Component], cell: Cell, c: sympy.Expr, *, strict: bool) -> None:
    """Add the lower end of a cell, at which |f'| is continuous, to the parts on both sides of it if it belongs."""
    place = cell.lower
    ends, begins = bool(left) and left[-1].upper == place, bool(right) and right[0].lower == place
    is_asked = ends == begins == strict  # else |f'| is c there, or at most c, or at least c
    if cell.excess_at_lower(c) < strict if is_asked else strict:
        return
    point = Component(place, place, lower_open=False, upper_open=False)
    last = left.pop().joined(point) if ends else point
    right[:] = [last.joined(right[0]), *right[1:]] if begins else [last, *right]


def _candidates(activations: Sequence[Activation], weights: Sequence[sympy.Expr], c: sympy.Expr) -> Iterator[Cell]:
    """Yield intervals outside which the product stays below c, because the first factor is too small there.

    The others are at most sup|σ'|·|w|; a factor of 2 keeps the ends away from those of the set.
    """
    largest = sympy.Mul(*(activation.steepest_slope for activation in activations[1:]), *map(abs, weights))
    if sign(largest) == 0:
        return
    if is_infinite(largest):
        yield Cell(-sympy.oo, sympy.oo)
        return
    parts = SuperlevelSet(activations[0].profile, c / (2 * largest)).components()
    for lower, upper in _join((part.lower, part.upper) for part in parts):
        yield Cell(lower, upper)


def _join(intervals: Iterable[tuple[sympy.Expr, sympy.Expr]]) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Join intervals, in increasing order, that have an end in common."""
    joined: list[tuple[sympy.Expr, sympy.Expr]] = []
    for lower, upper in intervals:
        if joined and joined[-1][1] == lower:
            joined[-1] = joined[-1][0], upper
        else:
            joined.append((lower, upper))
    return joined
