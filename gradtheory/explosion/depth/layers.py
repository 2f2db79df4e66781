"""A chain in balls: pre-activations, outputs and the gradient at one input, each layer in a few operations."""

import functools
import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.effort import size, spend
from gradtheory.arithmetic.enclosure import Ball, Evaluator, enclose, evaluator, precision
from gradtheory.arithmetic.functions import stable


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
        The derivative of log|f'(x)|: Σ σ''(z)/σ'(z)·dz/dx.

    """

    z: list[Ball]
    reach: list[Ball]
    a: Ball
    gradient: Ball
    log_slope: Ball


class Part(NamedTuple):
    """σ, σ' and σ''/σ' up to the next switch, as functions of bits and z."""

    right: sympy.Expr
    value: Evaluator
    slope: Evaluator
    log_slope: Evaluator


@dataclass(frozen=True)
class Layers:
    """A chain with its weights and biases.

    Parameters
    ----------
    activations : tuple of Activation
    w, b : tuple of sympy.Expr
        Real numbers.

    """

    activations: tuple[Activation, ...]
    w: tuple[sympy.Expr, ...]
    b: tuple[sympy.Expr, ...]

    def __len__(self) -> int:
        return len(self.w)

    def passed(self, x: Ball, bits: int) -> Passed:
        """Return what the chain does with an input, in balls of `bits` bits.

        Where a layer stands at a switch of σ, the balls hold what both formulas give.
        """
        spend(self._size * (1 + bits / 1024))
        with precision(bits):
            a, gradient, log_slope = x, x * 0 + 1, x * 0
            z, reach = [], []
            for parts, weight, bias in self._steps:
                w = weight(bits, {})
                z.append(w * a + bias(bits, {}))
                gradient *= w
                reach.append(gradient)
                a, slope, rate = _at(parts, z[-1], bits)
                log_slope += rate * gradient
                gradient *= slope
        return Passed(z, reach, a, gradient, log_slope)

    @cached_property
    def _steps(self) -> list[tuple[tuple[Part, ...], Evaluator, Evaluator]]:
        return [
            (parts_of(activation), evaluator(weight), evaluator(bias))
            for activation, weight, bias in zip(self.activations, self.w, self.b, strict=True)
        ]

    @cached_property
    def _size(self) -> int:
        return sum(3 * size(activation.expr) for activation in self.activations)


def _at(parts: tuple[Part, ...], z: Ball, bits: int) -> tuple[Ball, Ball, Ball]:
    """Return σ(z), σ'(z) and σ''(z)/σ'(z)."""
    at = {Z: z}
    if len(parts) == 1:
        return parts[0].value(bits, at), parts[0].slope(bits, at), parts[0].log_slope(bits, at)
    left, seen = None, []
    for part in parts:
        right = enclose(part.right, bits) if part.right.is_finite else None
        if (left is None or not z < left) and (right is None or not z > right):
            seen.append((part.value(bits, at), part.slope(bits, at), part.log_slope(bits, at)))
        left = right
    return tuple(functools.reduce(lambda one, other: one.union(other), balls) for balls in zip(*seen, strict=True))  # type: ignore[return-value]  # three of them


@functools.lru_cache(maxsize=256)
def parts_of(activation: Activation) -> tuple[Part, ...]:
    """Return the formulas of σ between its switches, from left to right."""
    branches = activation.profile.branches
    ends = [*(here.right for here, there in itertools.pairwise(branches) if _differ(activation, here, there)), sympy.oo]
    starts = [branches[0].left, *ends[:-1]]
    firsts = [next(branch for branch in branches if branch.left == start) for start in starts]
    return tuple(_part(activation, branch, end) for branch, end in zip(firsts, ends, strict=True))


def _differ(activation: Activation, here: Branch, there: Branch) -> bool:
    near = (formula_near(activation.expr, Z, branch.inside) for branch in (here, there))
    return len(set(near)) > 1


def _part(activation: Activation, branch: Branch, right: sympy.Expr) -> Part:
    value, slope = (formula_near(expr, Z, branch.inside) for expr in (activation.expr, activation.slope_expr))
    log_slope = sympy.S.Zero if slope == 0 else sympy.factor(slope.diff(Z) / slope)
    return Part(right, *(evaluator(stable(formula)) for formula in (value, slope, log_slope)))
