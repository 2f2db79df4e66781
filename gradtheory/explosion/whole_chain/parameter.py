"""Where the gradient by one weight or one bias of a chain exceeds a threshold, as that parameter moves alone.

As a function of one parameter a_L is a chain again, from its layer on: of w_l with the weight a_{l-1} in front, of b_l
with the weight 1. So what is known of inputs holds for parameters: in class N one interval, at most H/c long.
"""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import sympy

from gradtheory.activations.slopes.jumps import jumps_of, value_at
from gradtheory.arithmetic.brief import shorten
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import Ball, Balls, enclose, order, sign
from gradtheory.arithmetic.inputs import read_exact_parameters, read_positive, read_real
from gradtheory.arithmetic.kinds import read_flag
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth.chain_in_balls import Layers
from gradtheory.explosion.whole_chain.explosion_set import refuse_periodic_slopes, set_of_layers
from gradtheory.typing import NumberLike

_SHORT = 12  # operations of a pre-activation in closed form
_NAME = re.compile(r"([wb])_?([1-9]\d{0,8})", re.ASCII)


class Output(ProvenNumber):
    """What a chain with given weights makes of a number: a_L."""

    parts = ("layers", "x")
    layers: Layers
    x: sympy.Expr

    @cached_property
    def _balls(self) -> dict[int, Ball]:
        return {}

    def enclosure(self, bits: int, at: Balls | None = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        if bits not in self._balls:
            self._balls[bits] = self.layers.passed(enclose(self.x, bits), bits).a
        return self._balls[bits]


@limited
def exploding_parameter(
    chain: Chain,
    parameter: str,
    *,
    x: NumberLike,
    w: Sequence[NumberLike | None],
    b: Sequence[NumberLike | None],
    threshold: NumberLike = 1,
    strict: bool = True,
    effort: float = EFFORT,
) -> sympy.Set:
    r"""Return the values of one weight or bias θ at which \|∂a_L/∂θ\| exceeds c, all else being fixed.

    ∂a_L/∂w_l = a_{l-1}·σ'(z_l)·Π_{k>l} σ'(z_k)·w_k, and ∂a_L/∂b_l the same without a_{l-1}.

    Parameters
    ----------
    chain : Chain
        Of concrete depth L.
    parameter : str
        θ: "w3" for the weight of layer 3, "b2" for the bias of layer 2.
    x : number
        The input, exact.
    w, b : sequence of numbers
        The weights and biases of all layers, exact. That of θ is not used and may be None.
    threshold : number
        c > 0.
    strict : bool
        False for >= in place of >.
    effort : float
        How much work the proof may take, about seconds of it, counted in operations.

    Returns
    -------
    sympy.Set
        A union of intervals with exact or certified ends. In class N it is one interval, no longer than H/c.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If a proof does not succeed.

    References
    ----------
    Section 7 of the theory page.

    Examples
    --------
    >>> exploding_parameter(Chain(2, "arctan"), "b2", x=1, w=[1, 1], b=[0, None], threshold="1/2")
    Interval.open(-1 - pi/4, 1 - pi/4)

    """
    refuse_periodic_slopes(chain)
    kind, layer = _read_parameter(parameter, chain)
    c, strict, start = read_positive(threshold, "threshold"), read_flag(strict, "strict"), read_real(x, "x")
    weights, biases = (
        read_exact_parameters(_without(values, layer) if name == kind else values, name, chain.depth)
        for values, name in ((w, "w"), (b, "b"))
    )
    first = slice(None, layer - 1)
    before = _output(Layers(chain.layer_activations[first], tuple(weights[first]), tuple(biases[first])), start)
    if kind == "w":
        weights[layer - 1] = before
    else:
        weights[layer - 1], biases[layer - 1] = sympy.S.One, weights[layer - 1] * before
    rest = slice(layer - 1, None)
    return set_of_layers(
        Layers(chain.layer_activations[rest], tuple(weights[rest]), tuple(biases[rest])), c, strict=strict
    )


def _read_parameter(parameter: str, chain: Chain) -> tuple[str, int]:
    """Return which of w and b is meant, and its layer."""
    depth = read_concrete_chain(chain).depth
    match = _NAME.fullmatch(parameter) if isinstance(parameter, str) else None
    if match is None or int(match.group(2)) > depth:
        raise InvalidArgument(
            "parameter", parameter, f"must name a weight or a bias, from w1 and b1 to w{depth} and b{depth}"
        )
    return match.group(1), int(match.group(2))


def _without(values: Sequence[NumberLike | None], layer: int) -> Any:
    """Return the numbers with 0 in place of the one that moves; what is no list is refused where it is read."""
    if not isinstance(values, list | tuple):
        return values
    return [0 if number == layer else value for number, value in enumerate(values, start=1)]


def _output(layers: Layers, x: sympy.Expr) -> sympy.Expr:
    """Return what the layers make of x: in closed form as long as it is short.

    Raises
    ------
    Undecided
        If a layer may stand at a jump of its σ, or the number is not told from 0.

    """
    first, start, value = 0, x, x  # of the layers since the last value in closed form
    for number, (activation, weight, bias) in enumerate(zip(layers.activations, layers.w, layers.b, strict=True)):
        z = weight * value + bias
        is_short = first == number and z.count_ops() <= _SHORT
        if is_short or any(order(z, jump) == 0 for jump in jumps_of(activation.expr)):
            exact = value_at(activation.expr, z)
            if exact is None:
                raise Undecided(f"{activation.name} has no value at {shorten(z)}")
            first, start, value = number + 1, exact, exact
        else:
            part = slice(first, number + 1)
            value = Output(Layers(layers.activations[part], layers.w[part], layers.b[part]), start)
    sign(value)  # of a set with an end of which no digit is known nothing can be asked, and it cannot be printed
    return value
