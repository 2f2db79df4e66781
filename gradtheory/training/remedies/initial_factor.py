"""Initialisation: with which probability no factor of a chain explodes before training, at any input."""

from dataclasses import dataclass, field

import sympy

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.kinds import read_kind
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.initialisation import Initialisation
from gradtheory.typing import NumberLike

_CONDITIONS = (
    "the weights are as they were drawn, independently, before any training",
    "inputs and biases may be anything",
)


@dataclass(frozen=True)
class InitialFactorBound(ShownAsTable):
    """Bounds of the factors of a chain whose weights were just drawn, for all inputs and biases.

    Attributes
    ----------
    largest_factor : sympy.Expr
        The largest |σ'(z)·w| that can occur; oo where weights or slopes are unbounded.
    probability : sympy.Expr
        The exact probability that no factor can exceed the threshold, whatever input and biases.
    conditions : tuple of str
        Under which it is proven, in words.

    """

    largest_factor: sympy.Expr
    probability: sympy.Expr
    conditions: tuple[str, ...] = field(default=_CONDITIONS, repr=False)


def initial_factor_guarantee(chain: Chain, scheme: Initialisation, *, threshold: NumberLike = 1) -> InitialFactorBound:
    """Return how large the factors of a chain can be when its weights are drawn, at any input.

    Since |σ'(z)·w| ≤ |w|·sup|σ'|, with equality at some bias, no factor of layer l exceeds c whatever the input and the
    biases if and only if |w_l| ≤ c/sup|σ_l'|: the probability is Π_l P(|w_l| ≤ c/sup|σ_l'|). With given biases it may
    be greater.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth.
    scheme : Initialisation
        Of `gradtheory.initialisation`, with fan_in 1.
    threshold : number
        c, positive.

    Raises
    ------
    InvalidArgument
        If the scheme is for another fan_in, or the threshold not positive.

    Examples
    --------
    >>> from gradtheory.random_weights.initialisation import glorot, standard_normal
    >>> bound = initial_factor_guarantee(Chain(depth=10), standard_normal(1))
    >>> bound.largest_factor, round(float(bound.probability), 8)
    (oo, 0.99936676)
    >>> initial_factor_guarantee(Chain(depth=10), glorot(1, shape="uniform"))
    InitialFactorBound(largest_factor=sqrt(3)/4, probability=1)

    """
    chain = read_concrete_chain(chain)
    scheme = read_kind(scheme, "scheme", Initialisation, "must be of gradtheory.initialisation, such as glorot(1)")
    if scheme.fan_in != 1:
        raise InvalidArgument("scheme", scheme, "must have fan_in 1: a chain has one neuron per layer")
    c = read_positive(threshold, "threshold")
    largest, probability = sympy.S.Zero, sympy.S.One
    for record in chain.layer_activations:
        steepest = record.steepest_slope
        if steepest.is_infinite:
            return InitialFactorBound(sympy.oo, sympy.S.Zero)
        factor = abs(scheme.bound) * steepest if steepest else sympy.S.Zero
        largest = sympy.Max(largest, factor)
        if factor.is_infinite or order(factor, c) > 0:
            probability *= scheme.probability(c / steepest)
    return InitialFactorBound(largest, probability)
