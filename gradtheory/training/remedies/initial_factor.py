r"""Initialisation: with which probability no factor of a chain or a network explodes before training, at any input.

In a network a layer's factor is diag(σ'(z))·W, and ‖diag(σ'(z))·W‖ ≤ sup|σ'|·‖W‖ in spectral norms. For an m × n
matrix of independent entries, with t > 0:

- normal with deviation s: P(‖W‖ ≥ s·(√m + √n + t)) ≤ exp(-t²/2) (Davidson & Szarek 2001, theorem II.13);
- uniform on [-K, K]: P(‖W‖ ≥ K·(√(π/8)·(√m + √n) + t)) ≤ exp(-t²/8). The mean: ‖W‖ is convex, and a uniform entry lies
  below a normal one of deviation √(π/8)·K in the convex order, because their densities cross twice. The deviation: ‖W‖
  is a convex function of the entries with Lipschitz constant 1 (Boucheron, Lugosi & Massart 2013, theorem 6.10).
- An orthogonal matrix has one singular value, and an entry alone has the exact law that chains use.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.enclosure import order
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Network
from gradtheory.random_weights.initialisation import Initialisation
from gradtheory.typing import NumberLike

_ROUNDING = 2.0**-48
_CONDITIONS = (
    "the weights are as they were drawn, independently, before any training",
    "inputs and biases may be anything",
)


@dataclass(frozen=True)
class InitialFactorBound(ShownAsTable):
    """Bounds of the factors of a chain or a network whose weights were just drawn, for all inputs and biases.

    Attributes
    ----------
    largest_factor : sympy.Expr
        The largest |σ'(z)·w|, or sup|σ'|·‖W‖, that can occur; oo where weights or slopes are unbounded.
    probability : sympy.Expr
        The exact probability that no factor can exceed the threshold, whatever input and biases; for layers of more
        than one neuron a lower bound of it.
    conditions : tuple of str
        Under which it is proven, in words.

    """

    largest_factor: sympy.Expr
    probability: sympy.Expr
    conditions: tuple[str, ...] = field(default=_CONDITIONS, repr=False)


def initial_factor_guarantee(
    network: Chain | Network, scheme: Initialisation | Sequence[Initialisation], *, threshold: NumberLike = 1
) -> InitialFactorBound:
    """Return how large the factors of a chain or a network can be when its weights are drawn, at any input.

    Since |σ'(z)·w| ≤ |w|·sup|σ'|, with equality at some bias, no factor of layer l exceeds c whatever the input and the
    biases if and only if |w_l| ≤ c/sup|σ_l'|: the probability is Π_l P(|w_l| ≤ c/sup|σ_l'|). With given biases it may
    be greater. For a network of dense layers in a row |w_l| is ‖W_l‖ in the spectral norm; the module's documentation
    states the bounds of its law.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth, or dense layers in a row; weights that a network carries are not looked at.
    scheme : Initialisation or sequence of Initialisation
        Of `gradtheory.initialisation`: with fan_in 1 for a chain, and one for each layer of a network, with its fans.
    threshold : number
        c, positive.

    Raises
    ------
    InvalidArgument
        If a scheme is for other fans, or the threshold not positive.

    References
    ----------
    K. Davidson & S. Szarek, "Local operator theory, random matrices and Banach spaces" (2001); S. Boucheron,
    G. Lugosi & P. Massart, "Concentration inequalities" (2013).

    Examples
    --------
    >>> from gradtheory.random_weights.initialisation import glorot, standard_normal
    >>> bound = initial_factor_guarantee(Chain(depth=10), standard_normal(1))
    >>> bound.largest_factor, round(float(bound.probability), 8)
    (oo, 0.99936676)
    >>> initial_factor_guarantee(Chain(depth=10), glorot(1, shape="uniform"))
    InitialFactorBound(largest_factor=sqrt(3)/4, probability=1)

    """
    c = read_positive(threshold, "threshold")
    if isinstance(network, Network):
        schemes, records = _of_network(network, scheme), network.layer_activations
    else:
        chain = read_concrete_chain(network)
        one = read_kind(scheme, "scheme", Initialisation, "must be of gradtheory.initialisation, such as glorot(1)")
        if one.fan_in != 1:
            raise InvalidArgument("scheme", scheme, "must have fan_in 1: a chain has one neuron per layer")
        schemes, records = [one] * len(chain.layer_activations), chain.layer_activations
    largest, probability = sympy.S.Zero, sympy.S.One
    for layer, record in zip(schemes, records, strict=True):
        steepest = record.steepest_slope
        if steepest.is_infinite:
            return InitialFactorBound(sympy.oo, sympy.S.Zero)
        factor = _largest_norm(layer) * steepest if steepest else sympy.S.Zero
        largest = sympy.Max(largest, factor)
        if factor.is_infinite or order(factor, c) > 0:
            probability *= _probability(layer, c / steepest)
    return InitialFactorBound(largest, probability)


def _of_network(network: Network, scheme: Initialisation | Sequence[Initialisation]) -> list[Initialisation]:
    rule = f"must be {network.depth} schemes of gradtheory.initialisation, one for each layer"
    schemes = [read_kind(each, "scheme", Initialisation, rule) for each in read_items(scheme, "scheme", rule)]
    fans = [(each.fan_in, each.fan_out) for each in schemes]
    if not network.is_plain or fans != [*itertools.pairwise(network.widths)]:
        raise InvalidArgument("scheme", scheme, f"{rule}, with the fans of a network of dense layers in a row")
    return schemes


def _largest_norm(layer: Initialisation) -> sympy.Expr:
    """Return the greatest possible ‖W‖; entries of one size and one sign attain it."""
    if layer.shape == "orthogonal":
        return layer.bound
    return abs(layer.bound) * sympy.sqrt(layer.fan_in * layer.fan_out)


def _probability(layer: Initialisation, norm: sympy.Expr) -> sympy.Expr:
    """Return P(‖W‖ < norm), or a lower bound of it that is rounded to the safe side."""
    if layer.fan_in * layer.fan_out == 1:
        return layer.probability(norm)
    size = float(norm / layer.scale)
    mean, root = math.sqrt(layer.fan_in) + math.sqrt(layer.fan_out), 1.0
    if layer.shape == "uniform":
        size, mean, root = size / math.sqrt(3.0), mean * math.sqrt(math.pi / 8.0), 4.0
    elif layer.shape != "normal":
        return sympy.S.Zero  # an orthogonal matrix has no smaller norm, and constants have no law
    above = (size * (1.0 - _ROUNDING) - mean * (1.0 + _ROUNDING)) if size > mean else 0.0
    return sympy.Float(max(0.0, 1.0 - math.exp(-above * above / (2.0 * root)) * (1.0 + _ROUNDING) - _ROUNDING))
