"""An interval of inputs on which every layer of a chain keeps to one smooth formula of σ."""

import functools
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.exact_zeros import exact_zeros, inner_point
from gradtheory.activations.slopes.switches import breaks
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.enclosure import MOST_BITS, as_rational, doubling, enclose, order, sign, sign_at
from gradtheory.errors import Undecided
from gradtheory.explosion.superlevel import Component
from gradtheory.explosion.whole_chain.pre_activation import Layer, PreActivation, X

_BITS = 128
_PROVEN = functools.cmp_to_key(order)  # of numbers that may agree in any number of digits


@dataclass(frozen=True)
class Cell:
    """An open interval of x on which the first layers are one smooth formula each.

    Parameters
    ----------
    lower, upper : sympy.Expr
        The ends, possibly infinite.
    layers : tuple of Layer
        The first layers.
    follows_smoothly : bool
        Whether ∂a_L/∂x exists at the lower end.

    """

    lower: sympy.Expr
    upper: sympy.Expr
    layers: tuple[Layer, ...] = ()
    follows_smoothly: bool = False

    def z(self, weight: sympy.Expr, bias: sympy.Expr, activation: Activation) -> sympy.Expr:
        """Return the next pre-activation as a function of x: explicitly where it is linear."""
        straight = X
        for layer in self.layers:
            straight = layer.value.xreplace({Z: layer.weight * straight + layer.bias})
            if sympy.diff(straight, X).free_symbols:
                return PreActivation(X, 0, (*self.layers, Layer(weight, bias, activation)))
        return sympy.expand(weight * straight + bias)

    def extended(self, weight: sympy.Expr, bias: sympy.Expr, activation: Activation) -> Iterator["Cell"]:
        """Yield the cells into which the kinks of one more layer cut this one, without those where it is constant."""
        z = self.z(weight, bias, activation)
        if not z.has(X):
            return
        smooth_at = {self.lower: self.follows_smoothly and not activation.is_kink(z.xreplace({X: self.lower}))}
        switches = breaks(activation.provable_expr, Z, -sympy.oo, sympy.oo)
        for switch in switches:
            places = exact_zeros(z - switch, X, self.lower, self.upper)
            smooth_at |= dict.fromkeys(places, not activation.is_kink(switch))
        cuts = sorted(smooth_at, key=_PROVEN)
        for lower, upper in itertools.pairwise([*cuts, self.upper]):
            layer = Layer(weight, bias, activation, _between(z, inner_point(lower, upper), switches))
            if layer.slope != 0:
                yield Cell(lower, upper, (*self.layers, layer), smooth_at[lower])

    @property
    def product(self) -> sympy.Expr:
        """∂a_L/∂x as a function of x, or a number where it is constant."""
        slopes = [layer.slope for layer in self.layers]
        if not any(slope.free_symbols for slope in slopes):
            return sympy.Mul(*slopes, *(layer.weight for layer in self.layers))
        return PreActivation(X, 1, (*self.layers, Layer(sympy.S.One, sympy.S.Zero, self.layers[-1].activation)))

    def excess_at_lower(self, threshold: sympy.Expr) -> int:
        """Return the sign of |∂a_L/∂x| - c at the lower end, where the derivative is to exist."""
        return order(abs(self.product.xreplace({X: self.lower})), threshold)

    def components(self, threshold: sympy.Expr, *, strict: bool) -> Iterator[Component]:
        """Yield the parts where |∂a_L/∂x| exceeds the threshold."""
        product = self.product
        crossings: list[sympy.Expr] = []
        if product.has(X):
            places = [x for c in (threshold, -threshold) for x in exact_zeros(product - c, X, self.lower, self.upper)]
            crossings = sorted(places, key=_PROVEN)
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


def _between(z: sympy.Expr, point: sympy.Rational, switches: Sequence[sympy.Expr]) -> sympy.Rational:
    """Return a number beside z at a point of a cell, proven to lie between the same two switches as it."""
    for bits in doubling(MOST_BITS, _BITS):
        ball = enclose(z, bits, {X: enclose(point, bits)})
        if ball.is_finite() and not any(ball.overlaps(enclose(switch, bits)) for switch in switches):
            return as_rational(ball)
    raise Undecided(f"where a layer stands at x = {shorten(point)} is not told from a switch of it")
