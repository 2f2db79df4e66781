"""A chain in balls: pre-activations, outputs and the gradient at one input, each layer in a few operations."""

import functools
import itertools
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import sympy
from sympy import default_sort_key

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.effort import size, spend, work_of
from gradtheory.arithmetic.enclosure import Ball, Evaluator, enclose, evaluator, factored, precision, sign
from gradtheory.arithmetic.functions import stable

_BATCH = 16  # layers, after which the precision is adapted
_SPARE_BITS = 64
_NARROW = 2.0**-20
SLOPE_BITS = 96  # of slopes, where a gradient to 20 digits is enough


class Passed(NamedTuple):
    """What a chain does with one input.

    Attributes
    ----------
    z : list of Ball
        The pre-activations.
    reach : list of Ball
        Their derivatives by x.
    a : Ball
        The output.
    gradient : Ball
        f'(x), the product of all factors σ'(z)·w.
    log_slope : Ball
        The derivative of log|f'(x)|: Σ σ''(z)/σ'(z)·dz/dx, over the layers with σ'(z) ≠ 0.
    wall : int or None
        The first layer that stands where its σ is constant.

    """

    z: list[Ball]
    reach: list[Ball]
    a: Ball
    gradient: Ball
    log_slope: Ball
    wall: int | None


class Part(NamedTuple):
    """σ, σ' and σ''/σ' up to the next switch, as functions of bits and z."""

    right: Evaluator | None  # the switch
    value: Evaluator
    slope: Evaluator
    log_slope: Evaluator


class Step(NamedTuple):
    """A layer: the formulas of σ, the weight and the bias."""

    parts: tuple[Part, ...]
    weight: Evaluator
    bias: Evaluator


@dataclass(frozen=True)
class Layers:
    """A chain with its weights and biases.

    Parameters
    ----------
    activations : tuple of Activation
    w, b : tuple of sympy.Expr
        Real numbers.
    extended : bool
        Whether each σ goes on as it is written at the ends of its support, in place of being constant.

    """

    activations: tuple[Activation, ...]
    w: tuple[sympy.Expr, ...]
    b: tuple[sympy.Expr, ...]
    extended: bool = False

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.activations, self.w, self.b, self.extended)

    def __len__(self) -> int:
        return len(self.w)

    def __lt__(self, other: "Layers") -> bool:
        """Return whether SymPy, which sorts what it adds, puts the ends of this chain before those of another."""
        return self != other and bool(self._sort_key < other._sort_key)

    def __gt__(self, other: "Layers") -> bool:
        return other < self

    def passed(self, x: Ball, bits: int, slope_bits: int | None = None) -> Passed:
        """Return what the chain does with an input, in balls of `bits` bits; slopes may do with fewer.

        Where a layer stands at a switch of σ, or so near that the bits do not tell, the balls hold what both formulas
        give; so they hold both slopes at a kink.
        """
        spend(self.size * work_of(bits))
        z: list[Ball] = []
        reach: list[Ball] = []
        wall: int | None = None
        a, gradient, log_slope, working = x, x * 0 + 1, x * 0, bits
        for start in range(0, len(self), _BATCH):
            with precision(working):
                for parts, weight, bias in self.steps[start : start + _BATCH]:
                    w = weight(working, {})
                    z.append(w * a + bias(working, {}))
                    gradient *= w
                    reach.append(gradient)
                    a, slope, rate = sigma_at(parts, z[-1], working, slope_bits or working)
                    log_slope += rate * gradient
                    gradient *= slope
                    if wall is None and slope.is_zero():
                        wall = len(z) - 1
            working = min(bits, max(a.rel_accuracy_bits(), 0) + _SPARE_BITS)  # more would be lost in its radius
        return Passed(z, reach, a, gradient, log_slope, wall)

    def passed_between(self, one: sympy.Rational, other: sympy.Rational, bits: int) -> Passed:
        """Return what the chain does with all inputs between two."""
        return self.passed(ball_between(one, other, bits), bits)

    def exactly(self, x: sympy.Expr, *, operations: int = 0) -> list[sympy.Expr] | None:
        """Return the exact pre-activations, or None where the value of a layer but the last is no fraction.

        Values that are written in no more than so many operations are let pass, too.
        """
        z: list[sympy.Expr] = []
        for number, (weight, bias) in enumerate(zip(self.w, self.b, strict=True)):
            a = self.activations[number - 1].expr.subs(Z, z[-1]) if number else x
            if number and not a.is_Rational and a.count_ops() > operations:
                return None
            z.append(weight * a + bias)
        return z

    @cached_property
    def beyond(self) -> "Layers":
        """The chain in which each σ goes on beyond its support."""
        return replace(self, extended=True)

    @cached_property
    def places(self) -> dict[Activation, list[int]]:
        """The numbers of the layers that have the same activation."""
        return {
            activation: [number for number, other in enumerate(self.activations) if other == activation]
            for activation in dict.fromkeys(self.activations)
        }

    @cached_property
    def directions(self) -> list[int]:
        """The sign of each dz_l/dx where it is not 0, for a chain of class N."""
        signs, product = [], 1
        for activation, weight in zip(self.activations, self.w, strict=True):
            product *= sign(weight)
            signs.append(product)
            product *= next(branch.direction for branch in activation.profile.branches if branch.direction)
        return signs

    @cached_property
    def steps(self) -> list[Step]:
        """What each layer does."""
        parts = {activation: parts_of(activation, extended=self.extended) for activation in self.places}
        return [
            Step(parts[activation], evaluator(weight), evaluator(bias))
            for activation, weight, bias in zip(self.activations, self.w, self.b, strict=True)
        ]

    @property
    def _sort_key(self) -> tuple[object, ...]:
        numbers = tuple(map(default_sort_key, (*self.w, *self.b)))
        return tuple(activation.name for activation in self.activations), numbers, self.extended

    @cached_property
    def size(self) -> int:
        """The parts of all formulas: how much work it is to pass through the chain."""
        return sum(3 * size(activation.expr) for activation in self.activations)


def ball_between(one: sympy.Rational, other: sympy.Rational, bits: int) -> Ball:
    """Return a ball that holds all numbers between two."""
    with precision(bits):
        return enclose(one, bits).union(enclose(other, bits))


def sigma_at(parts: tuple[Part, ...], z: Ball, bits: int, slope_bits: int) -> tuple[Ball, Ball, Ball]:
    """Return σ(z), σ'(z) and σ''(z)/σ'(z); where z may be a switch, what both formulas give."""
    seen = [_values(part, z, bits, slope_bits) for part in meeting(parts, z, bits)]
    if len(seen) == 1:
        return seen[0]
    value, slope, log_slope = (functools.reduce(union, balls) for balls in zip(*seen, strict=True))
    return value, slope, log_slope


def meeting(parts: tuple[Part, ...], z: Ball, bits: int) -> tuple[Part, ...]:
    """Return the formulas that may hold in a ball."""
    if len(parts) == 1:
        return parts
    chosen: list[Part] = []
    for part in parts:
        right = part.right and part.right(bits, {})
        if right is None or not z > right:
            chosen.append(part)
            if right is None or z < right:
                break
    return tuple(chosen)


def _values(part: Part, z: Ball, bits: int, slope_bits: int) -> tuple[Ball, Ball, Ball]:
    at = {Z: z}
    with precision(min(bits, slope_bits)):
        slope, log_slope = part.slope(bits, at), part.log_slope(bits, at)
    if z.rad() > _NARROW:
        return part.value(bits, at), slope, log_slope
    middle = z.mid()  # mean value theorem: formulas that hold z twice would widen the ball at each layer
    return part.value(bits, {Z: middle}) + slope * (z - middle), slope, log_slope


def union(one: Ball, other: Ball) -> Ball:
    """Return a ball that holds two."""
    return one.union(other)


@functools.lru_cache(maxsize=256)
def parts_of(activation: Activation, *, extended: bool = False) -> tuple[Part, ...]:
    """Return the formulas of σ between its switches, from left to right."""
    branches = [branch for branch in activation.profile.branches if branch.direction or not extended]
    pairs = itertools.pairwise(branches)
    firsts = [branches[0], *(there for here, there in pairs if _differ(activation, here, there))]
    ends = [*(branch.left for branch in firsts[1:]), sympy.oo]
    return tuple(_part(activation, branch, end) for branch, end in zip(firsts, ends, strict=True))


def _differ(activation: Activation, here: Branch, there: Branch) -> bool:
    near = (formula_near(activation.expr, Z, branch.inside) for branch in (here, there))
    return len(set(near)) > 1


def _part(activation: Activation, branch: Branch, right: sympy.Expr) -> Part:
    value, slope = (formula_near(expr, Z, branch.inside) for expr in (activation.expr, activation.slope_expr))
    log_slope = sympy.S.Zero if slope == 0 else factored(slope.diff(Z) / slope)
    switch = evaluator(right) if right.is_finite else None
    formulas = (evaluator(stable(formula)) for formula in (value, slope, log_slope))
    return Part(switch, *formulas)
