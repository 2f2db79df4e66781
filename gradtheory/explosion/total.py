r"""Where the whole product |∂a_L/∂x| = Π|σ'(z_l) w_l| of a chain with given weights exceeds a threshold.

The input line is first cut where a layer passes a kink. On each cell the product G and its derivative are carried
forward through the layers in ball and interval arithmetic, so that no nested formula is built, and the places where
G = ±c are isolated with a proof like those of a single factor.

Corollary, for a monotone σ with values in an interval of length ℓ: ∂a_L/∂x has one sign and an integral of at most ℓ,
so the set measures less than ℓ/c at any depth (Markov's inequality).
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.pieces import breaks, exact_zeros, inner_point, piece_at
from gradtheory.arithmetic.enclosure import (
    Ball,
    Balls,
    Interval,
    around,
    as_rational,
    bounds,
    derivative,
    enclose,
    evaluate,
    plus,
    precision,
    range_over,
    sign,
    sign_at,
    times,
)
from gradtheory.arithmetic.functions import stable
from gradtheory.arithmetic.inputs import read_exact_parameters, read_positive
from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.explosion import explosion_set
from gradtheory.explosion.superlevel import Component, SuperlevelSet, as_set
from gradtheory.typing import NumberLike

X = sympy.Symbol("x", real=True)


@dataclass(frozen=True)
class _Layer:
    """One layer with its weight and bias, σ being one smooth formula."""

    weight: sympy.Expr
    bias: sympy.Expr
    activation: Activation
    inside: sympy.Rational | None = None  # a z within the smooth piece, where σ has kinks

    @cached_property
    def value(self) -> sympy.Expr:
        return self._piece(self.activation.expr)

    @cached_property
    def slope(self) -> sympy.Expr:
        return self._piece(self.activation.profile.function)

    @cached_property
    def bend(self) -> sympy.Expr:
        return derivative(self.slope, Z, 1)

    def _piece(self, expr: sympy.Expr) -> sympy.Expr:
        return stable(expr if self.inside is None else piece_at(expr, Z, self.inside))


class PreActivation(sympy.Expr):  # type: ignore[misc]  # SymPy's classes are untyped
    """The last z_l, or its first or second derivative by x, carried forward through layers at given weights.

    Its arguments are x and the order of the derivative; z_l itself is the order 0.
    """

    is_real = True
    is_commutative = True
    layers: tuple[_Layer, ...]

    def __new__(cls, x: sympy.Expr, order: int, layers: tuple[_Layer, ...]) -> "PreActivation":  # noqa: D102
        self = super().__new__(cls, x, sympy.Integer(order))
        self.layers = layers
        return self  # type: ignore[no-any-return]  # SymPy's constructors are untyped

    @property
    def func(self) -> Any:
        """What rebuilds the object from its arguments."""
        return lambda x, order: PreActivation(x, order, self.layers)

    def _hashable_content(self) -> tuple[Any, ...]:
        return (*self.args, tuple((each.weight, each.bias, each.activation.name, each.inside) for each in self.layers))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return PreActivation, (*self.args, self.layers)

    @property
    def free_symbols(self) -> set[sympy.Symbol]:
        """The symbols of x."""
        return set(self.args[0].free_symbols)

    def _eval_derivative(self, symbol: sympy.Symbol) -> sympy.Expr:
        return PreActivation(self.args[0], self.args[1] + 1, self.layers) * self.args[0].diff(symbol)

    def _sympystr(self, printer: Any) -> str:
        return f"z_{len(self.layers)}{chr(39) * int(self.args[1])}({printer._print(self.args[0])})"

    def _eval_simplify(self, **_: Any) -> sympy.Expr:
        """Return the closed expression: at a number it shows what no ball can prove, such as that it is 0."""
        a, first, second = self.args[0], sympy.S.One, sympy.S.Zero
        for layer, is_last in self._with_last():
            z, first, second = layer.weight * a + layer.bias, layer.weight * first, layer.weight * second
            if is_last:
                return sympy.simplify((z, first, second)[int(self.args[1])])
            slope, bend, a = (sympy.simplify(each.subs(Z, z)) for each in (layer.slope, layer.bend, layer.value))
            first, second = first * slope, second * slope + first**2 * bend
        raise AssertionError("a chain has a last layer")

    def enclosure(self, bits: int, at: Balls) -> Ball:
        """Return a ball around the value."""
        a = evaluate(self.args[0], bits, at)
        first, second = 1 + 0 * a, 0 * a  # derivatives of a_l by x
        for layer, is_last in self._with_last():
            weight, bias = (evaluate(each, bits, {}) for each in (layer.weight, layer.bias))
            z = weight * a + bias
            if is_last:
                return (z, weight * first, weight * second)[int(self.args[1])]
            slope, bend = (evaluate(each, bits, {Z: z}) for each in (layer.slope, layer.bend))
            first, second = weight * first * slope, weight * second * slope + (weight * first) ** 2 * bend
            a = evaluate(layer.value, bits, {Z: z})
        raise AssertionError("a chain has a last layer")

    def over(self, bits: int, at: dict[sympy.Symbol, Interval]) -> Interval:
        """Return bounds of the value over an interval."""
        a = at[self.args[0]]
        with precision(bits):
            first, second = (around(evaluate(each, bits, {})) for each in (sympy.S.One, sympy.S.Zero))
            for layer, is_last in self._with_last():
                weight, bias = (around(evaluate(each, bits, {})) for each in (layer.weight, layer.bias))
                z = plus(times(weight, a), bias)
                first, second = times(weight, first), times(weight, second)  # of z_l now
                if is_last:
                    return (z, first, second)[int(self.args[1])]
                slope, bend = layer.activation.profile.over(z, bits), range_over(layer.bend, Z, z, bits)
                second = plus(times(second, slope), times(times(first, first), bend))
                first = times(first, slope)
                a = layer.activation.over(z, bits)
        raise AssertionError("a chain has a last layer")

    def _with_last(self) -> Iterator[tuple[_Layer, bool]]:
        return ((layer, number == len(self.layers)) for number, layer in enumerate(self.layers, start=1))


@dataclass(frozen=True)
class _Cell:
    """An open interval of x on which the first layers are one smooth formula each."""

    lower: sympy.Expr
    upper: sympy.Expr
    layers: tuple[_Layer, ...] = ()
    follows_smoothly: bool = False  # whether ∂a_L/∂x exists at the lower end

    def z(self, weight: sympy.Expr, bias: sympy.Expr, activation: Activation) -> sympy.Expr:
        """Return the next pre-activation as a function of x: explicitly where it is linear."""
        straight = X
        for layer in self.layers:
            straight = layer.value.xreplace({Z: layer.weight * straight + layer.bias})
            if sympy.diff(straight, X).free_symbols:
                return PreActivation(X, 0, (*self.layers, _Layer(weight, bias, activation)))
        return sympy.expand(weight * straight + bias)

    def extended(self, weight: sympy.Expr, bias: sympy.Expr, activation: Activation) -> Iterator["_Cell"]:
        """Yield the parts between the kinks of one more layer."""
        z = self.z(weight, bias, activation)
        smooth_at = {self.lower: self.follows_smoothly}
        if z.has(X):
            for switch in breaks(activation.expr, Z, activation.profile.window.inf, activation.profile.window.sup):
                inside = exact_zeros(z - switch, X, self.lower, self.upper)
                smooth_at |= dict.fromkeys(inside, switch not in activation.kinks)
        cuts = sorted(smooth_at, key=lambda x: bounds(x, x, 128).lower)
        for lower, upper in itertools.pairwise([*cuts, self.upper]):
            at = as_rational(enclose(z, 128, {X: enclose(inner_point(lower, upper), 128)}))
            if at not in activation.kinks:  # else σ has no derivative on the whole cell
                yield _Cell(lower, upper, (*self.layers, _Layer(weight, bias, activation, at)), smooth_at[lower])

    @property
    def product(self) -> sympy.Expr:
        """∂a_L/∂x as a function of x, or a number where it is constant."""
        slopes = [layer.slope for layer in self.layers]
        if any(not slope.free_symbols for slope in slopes) and sympy.S.Zero in slopes:
            return sympy.S.Zero
        if not any(slope.free_symbols for slope in slopes):
            return sympy.Mul(*slopes, *(layer.weight for layer in self.layers))
        return PreActivation(X, 1, (*self.layers, _Layer(sympy.S.One, sympy.S.Zero, self.layers[-1].activation)))

    def components(self, threshold: sympy.Expr, *, strict: bool) -> Iterator[Component]:
        """Yield the parts where |∂a_L/∂x| exceeds the threshold."""
        product = self.product
        crossings: list[sympy.Expr] = []
        if product.has(X):
            found = [x for c in (threshold, -threshold) for x in exact_zeros(product - c, X, self.lower, self.upper)]
            crossings = sorted(found, key=lambda x: enclose(x, 128).mid())
        ends = [self.lower, *crossings, self.upper]
        for lower, upper in itertools.pairwise(ends):
            above = self._sign_within(product, threshold, lower, upper)
            if above > 0 or (above == 0 and not strict):
                yield Component(lower, upper, strict or lower not in crossings, strict or upper not in crossings)

    def _sign_within(self, product: sympy.Expr, c: sympy.Expr, lower: sympy.Expr, upper: sympy.Expr) -> int:
        if not product.has(X):
            return sign(abs(product) - c)
        point = inner_point(lower, upper)
        return 1 if sign_at(product - c, X, point) > 0 or sign_at(product + c, X, point) < 0 else -1


def total_explosion_set(
    chain: Chain, *, w: Sequence[NumberLike], b: Sequence[NumberLike], threshold: NumberLike = 1, strict: bool = True
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
    Interval.open(Root(-0.366638232337…), Root(0.366638232337…))

    """
    if not isinstance(chain, Chain):
        raise InvalidArgument("chain", chain, "must be a gradtheory.Chain")
    if any(each.period is not None for each in chain.layer_activations):
        raise InvalidArgument("chain", chain, "must not have periodic slopes: the set may have infinitely many parts")
    c = read_positive(threshold, "threshold")
    weights, biases = (read_exact_parameters(values, name, chain.depth) for values, name in ((w, "w"), (b, "b")))
    if chain.depth == 1:
        return explosion_set(chain.layer_activations[0], weights[0], biases[0], threshold=c, strict=strict)
    cells = list(_candidates(chain.layer_activations, weights, biases[0], c))
    for layer in zip(weights, biases, chain.layer_activations, strict=True):
        cells = [part for cell in cells for part in cell.extended(*layer)]
    merged: list[Component] = []
    for cell in cells:
        for piece in cell.components(c, strict=strict):
            if merged and merged[-1].upper == piece.lower == cell.lower and cell.follows_smoothly:
                merged[-1] = merged[-1].joined(piece)
            else:
                merged.append(piece)
    return as_set(merged)


def _candidates(
    activations: Sequence[Activation], weights: Sequence[sympy.Expr], bias: sympy.Expr, c: sympy.Expr
) -> Iterator[_Cell]:
    """Yield intervals of x outside which the product stays below c, because the first factor is too small there.

    The others are at most sup|σ'|·|w|; a factor of 2 keeps the ends away from those of the set.
    """
    largest = sympy.Mul(*(each.steepest_slope for each in activations[1:]), *map(abs, weights))
    if sign(largest) == 0:
        return
    if largest.is_infinite:
        yield _Cell(-sympy.oo, sympy.oo)
        return
    mirrored = sign(weights[0]) < 0
    in_z = SuperlevelSet(activations[0].profile, c / (2 * largest)).components()
    in_x = [each.affine(weights[0], bias, mirrored=mirrored) for each in (reversed(in_z) if mirrored else in_z)]
    for lower, upper in _joined((each.lower, each.upper) for each in in_x):
        yield _Cell(lower, upper)


def _joined(intervals: Iterable[tuple[sympy.Expr, sympy.Expr]]) -> list[tuple[sympy.Expr, sympy.Expr]]:
    """Join intervals, in increasing order, that have an end in common."""
    joined: list[tuple[sympy.Expr, sympy.Expr]] = []
    for lower, upper in intervals:
        if joined and joined[-1][1] == lower:
            joined[-1] = joined[-1][0], upper
        else:
            joined.append((lower, upper))
    return joined


def total_explosion_bound(chain: Chain, *, threshold: NumberLike = 1) -> sympy.Expr:
    r"""Return a bound on the length of the total explosion set that holds at any depth and for any weights: ℓ/c.

    ℓ is the length of the range of the last activation, where all activations are monotone; oo where no such bound
    holds.

    Parameters
    ----------
    chain : Chain
        Of any depth.
    threshold : number
        c > 0.

    Returns
    -------
    sympy.Expr
        The bound, exact.

    Raises
    ------
    InvalidArgument
        If the threshold is not a positive number.

    Examples
    --------
    >>> total_explosion_bound(Chain(depth=50, activation="sigmoid"), threshold=2)
    1/2

    """
    c = read_positive(threshold, "threshold")
    span = chain.layer_activations[-1].range
    if not all(_is_monotone(each) for each in chain.layer_activations) or not span.is_Interval:
        return sympy.oo
    return span.measure / c


def _is_monotone(activation: Activation) -> bool:
    return not {1, -1} <= {branch.direction for branch in activation.profile.branches}
