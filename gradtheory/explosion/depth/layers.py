"""A chain in balls: pre-activations, outputs and the gradient at one input, each layer in a few operations."""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation, Branch, Z
from gradtheory.activations.slopes.switches import formula_near
from gradtheory.arithmetic.enclosure import Ball, enclose, evaluate, precision
from gradtheory.arithmetic.functions import stable
from gradtheory.errors import Undecided


@dataclass(frozen=True)
class Passed:
    """What a chain does with one input.

    Attributes
    ----------
    z : list of Ball
        The pre-activations.
    a : Ball
        The output.
    gradient : Ball
        The product of all factors σ'(z)·w.

    """

    z: list[Ball]
    a: Ball
    gradient: Ball


def passed(
    activations: Sequence[Activation], w: Sequence[sympy.Expr], b: Sequence[sympy.Expr], x: sympy.Expr, bits: int
) -> Passed:
    """Return what a chain does with an input, in balls of `bits` bits.

    Raises
    ------
    Undecided
        If a layer stands at a kink, or nearer to one than so many bits tell.

    """
    parameters = [(enclose(weight, bits), enclose(bias, bits)) for weight, bias in zip(w, b, strict=True)]
    a, layers = enclose(x, bits), []
    with precision(bits):
        gradient = a * 0 + 1
        for activation, (weight, bias) in zip(activations, parameters, strict=True):
            z = weight * a + bias
            value, slope = _formulas(activation, z, bits)
            a = evaluate(value, bits, {Z: z})
            gradient *= evaluate(slope, bits, {Z: z}) * weight
            layers.append(z)
    return Passed(layers, a, gradient)


def _formulas(activation: Activation, z: Ball, bits: int) -> tuple[sympy.Expr, sympy.Expr]:
    """Return σ and σ' as they are written near a place."""
    before = 0
    for switch in _switches(activation):
        place = enclose(switch, bits)
        if z.overlaps(place):
            raise Undecided(
                f"a layer of {activation.name} stands at z = {switch}, or too near to it: take another input"
            )
        before += bool(z > place)
    return _written(activation, before)


@functools.lru_cache(maxsize=256)
def _switches(activation: Activation) -> tuple[sympy.Expr, ...]:
    """Return the places at which σ changes its formula."""
    pairs = itertools.pairwise(activation.profile.branches)
    return tuple(here.right for here, there in pairs if _near(activation.expr, here) != _near(activation.expr, there))


@functools.lru_cache(maxsize=1024)
def _written(activation: Activation, number: int) -> tuple[sympy.Expr, sympy.Expr]:
    """Return σ and σ' between two switches, counted from the left."""
    branches = activation.profile.branches
    left = (branches[0].left, *_switches(activation))[number]
    branch = next(branch for branch in branches if branch.left == left)
    return _near(activation.expr, branch), _near(activation.slope_expr, branch)


def _near(expr: sympy.Expr, branch: Branch) -> sympy.Expr:
    return stable(formula_near(expr, Z, branch.inside))
