"""The pre-activation of a chain's last layer as a function of the input x, and its derivatives, at given weights.

They are carried forward through the layers in ball and interval arithmetic, so that no nested formula is built.
"""

import functools
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import (
    Ball,
    Balls,
    Interval,
    around,
    derivative,
    evaluate,
    plus,
    precision,
    range_over,
    times,
)
from gradtheory.arithmetic.functions import stable

X = sympy.Symbol("x", real=True)


_CARRIED = 2  # the derivatives that are carried forward by formulas of their own
_MOST_NESTED = 4  # layers whose formulas are put into each other


@dataclass(frozen=True)
class Layer:
    """One layer with its weight and bias; its σ, σ' and σ'' are one smooth formula each."""

    weight: sympy.Expr
    bias: sympy.Expr
    activation: Activation
    inside: sympy.Rational | None = None  # a z within the smooth piece, where σ has kinks

    @cached_property
    def value(self) -> sympy.Expr:
        """σ(z)."""
        return self._piece(self.activation.expr)

    @cached_property
    def slope(self) -> sympy.Expr:
        """σ'(z)."""
        return self._piece(self.activation.profile.function)

    @cached_property
    def bend(self) -> sympy.Expr:
        """σ''(z)."""
        return derivative(self.slope, Z, 1)

    def _piece(self, expr: sympy.Expr) -> sympy.Expr:
        return stable(expr if self.inside is None else formula_near(expr, Z, self.inside))


class PreActivation(sympy.Expr):  # type: ignore[misc]  # SymPy's classes are untyped
    """The last z_l, or one of its derivatives by x, carried forward through layers at given weights.

    Its arguments are x and the order of the derivative; z_l itself is the order 0.
    """

    is_real = True
    is_commutative = True
    layers: tuple[Layer, ...]

    def __new__(cls, x: sympy.Expr, order: int, layers: tuple[Layer, ...]) -> "PreActivation":  # noqa: D102  # the class's docstring
        self = super().__new__(cls, x, sympy.Integer(order))
        self.layers = layers
        return self  # type: ignore[no-any-return]  # SymPy's constructors are untyped

    @property
    def func(self) -> Any:
        """What rebuilds the object from its arguments."""
        return lambda x, order: PreActivation(x, order, self.layers)

    def _hashable_content(self) -> tuple[Any, ...]:
        parts = ((layer.weight, layer.bias, layer.activation.name, layer.inside) for layer in self.layers)
        return (*self.args, *(sympy.nan if part is None else part for layer in parts for part in layer))  # SymPy sorts

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
        if self.args[1] > _CARRIED:
            return sympy.simplify(self._closed().diff(X, int(self.args[1])).subs(X, self.args[0]))
        a, first, second = self.args[0], sympy.S.One, sympy.S.Zero
        for layer, is_last in self._with_last():
            z, first, second = layer.weight * a + layer.bias, layer.weight * first, layer.weight * second
            if is_last:
                return sympy.simplify((z, first, second)[int(self.args[1])])
            slope, bend, a = (sympy.simplify(each.subs(Z, z)) for each in (layer.slope, layer.bend, layer.value))
            first, second = first * slope, second * slope + first**2 * bend
        raise AssertionError("a chain has a last layer")

    @property
    def plain(self) -> sympy.Expr | None:
        """The same in SymPy's functions, for its growth at infinity; None for many layers, which nest too deep."""
        if len(self.layers) > _MOST_NESTED:
            return None
        if self.args[1] > 1:
            return self._closed().diff(X, int(self.args[1])).xreplace({X: self.args[0]})
        a, first = self.args[0], sympy.S.One
        for layer, is_last in self._with_last():
            z, first = layer.weight * a + layer.bias, layer.weight * first
            if is_last:
                return (z, first)[int(self.args[1])]
            a, first = layer.value.xreplace({Z: z}), layer.slope.xreplace({Z: z}) * first
        raise AssertionError("a chain has a last layer")

    def enclosure(self, bits: int, at: Balls) -> Ball:
        """Return a ball around the value."""
        if self.args[1] > _CARRIED:
            return self._by_series(evaluate(self.args[0], bits, at), bits, _OF_BALLS)
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
        if self.args[1] > _CARRIED:
            with precision(bits):
                return self._by_series(a, bits, _OF_INTERVALS)  # type: ignore[no-any-return]  # of intervals
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

    def _closed(self) -> sympy.Expr:
        """Return z_l as one formula in x."""
        a: sympy.Expr = X
        for layer, is_last in self._with_last():
            z = layer.weight * a + layer.bias
            if not is_last:
                a = layer.value.subs(Z, z)
        return z

    def _by_series(self, x: Any, bits: int, of: "_Numbers") -> Any:
        """Return a derivative of a higher order, by Taylor coefficients of every layer in x."""
        order = int(self.args[1])
        series = [x, of.number(sympy.S.One, bits), *[of.number(sympy.S.Zero, bits)] * (order - 1)]
        for layer, is_last in self._with_last():
            series = [of.times(of.number(layer.weight, bits), each) for each in series]
            series[0] = of.plus(series[0], of.number(layer.bias, bits))
            if is_last:
                return of.times(series[order], of.number(sympy.factorial(order), bits))
            series = _composed(layer, series, bits, of)
        raise AssertionError("a chain has a last layer")

    def _with_last(self) -> Iterator[tuple[Layer, bool]]:
        return ((layer, number == len(self.layers)) for number, layer in enumerate(self.layers, start=1))


class _Numbers(NamedTuple):
    """How balls or intervals are made, added, multiplied, and put into a formula in Z."""

    number: Callable[[sympy.Expr, int], Any]
    plus: Callable[[Any, Any], Any]
    times: Callable[[Any, Any], Any]
    of: Callable[[sympy.Expr, Any, int], Any]


_OF_BALLS = _Numbers(
    lambda number, bits: evaluate(number, bits, {}),
    operator.add,
    operator.mul,
    lambda formula, z, bits: evaluate(formula, bits, {Z: z}),
)
_OF_INTERVALS = _Numbers(
    lambda number, bits: around(evaluate(number, bits, {})),
    plus,
    times,
    lambda formula, z, bits: range_over(formula, Z, z, bits),
)


def _composed(layer: Layer, series: list[Any], bits: int, of: _Numbers) -> list[Any]:
    """Return the Taylor coefficients of σ(z) from those of z: Σ σ⁽ᵏ⁾(z)·(z's own without the constant)ᵏ/k!."""
    z, length = series[0], len(series)
    nothing = of.number(sympy.S.Zero, bits)
    result, power = [nothing] * length, [of.number(sympy.S.One, bits), *[nothing] * (length - 1)]
    for order in range(length):
        formula = layer.value if order == 0 else derivative(layer.slope, Z, order - 1)
        factor = of.of(formula / sympy.factorial(order), z, bits)
        result = [of.plus(each, of.times(factor, part)) for each, part in zip(result, power, strict=True)]
        power = [
            functools.reduce(of.plus, (of.times(power[n - k], series[k]) for k in range(1, n + 1)), nothing)
            for n in range(length)
        ]
    return result
