"""A loss at one point: its gradient and the products of its Hessian, and how far rounding may move them.

Parameters stand in the order of `gradtheory.networks.parameters`: all weights, all biases, then those of norms; of a
chain that is w_1 … w_L, b_1 … b_L.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_parameters, read_samples
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature.numeric import gradient_and_product
from gradtheory.networks.either import read_either
from gradtheory.networks.losses import SHARES, ending
from gradtheory.networks.network import Network
from gradtheory.networks.parameters import flat, gradients, parameters, shaped, slots, with_parameters
from gradtheory.networks.passes import forward, hessian_product

_EPS = 2.0**-52


class Point(NamedTuple):
    """A loss at one point.

    Attributes
    ----------
    parameters, gradient : ndarray of shape (n,)
    product : callable
        v ↦ Hessian·v.
    shaken : callable
        Takes a seed, and returns the point with each number that it is computed from changed in its last digit: data,
        parameters, and what each sample counts.

    """

    parameters: Array
    gradient: Array
    product: Callable[[Array], Array]
    shaken: Callable[[int], "Point"]

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.parameters.size


def point(network: Chain | Network, x: Any, y: Any, w: Any = None, b: Any = None) -> Point:
    """Return the loss of a chain or a network at its weights; the arguments are those of `curvature.sharpness`."""
    if isinstance(chain := read_either(network), Chain):
        weights, biases = read_parameters(w, "w", chain.depth), read_parameters(b, "b", chain.depth)
        return _of_chain(chain, *read_samples(x, y), weights, biases)
    network = chain if w is None and b is None else chain.carrying(w, b)
    return _of_network(network, *network.read_data(x, y), parameters(network.nodes))


def _of_chain(chain: Chain, x: Array, y: Array, w: Array, b: Array, shares: Array | float = 1.0) -> Point:
    def shaken(seed: int) -> Point:
        shake = _Shake(seed)
        targets = shake.targets(y, are_shares=chain.loss_record.needs_unit_interval)
        return _of_chain(chain, shake(x), targets, shake(w), shake(b), shake(np.ones_like(x)))

    return Point(np.concatenate([w, b]), *gradient_and_product(chain, x, y, w, b, shares=shares), shaken)


def _of_network(network: Network, x: Array, y: Array, values: list[Array], shares: Array | float = 1.0) -> Point:
    nodes = with_parameters(network.nodes, values)
    where = slots(nodes)
    with np.errstate(all="ignore"):
        passed = forward(nodes, x)
        start = ending(network.loss, passed, y)
        start = start._replace(gradient=shares * start.gradient)
        gradient = flat(gradients(where, passed, start))

    def product(vector: Array) -> Array:
        directions: dict[int, dict[str, Array]] = {}
        for slot, part in zip(where, shaped(np.ravel(vector), values), strict=True):
            directions.setdefault(slot.place, {})[slot.name] = part
        with np.errstate(all="ignore"):
            turned = hessian_product(
                passed, start.place, start.gradient, lambda turn: shares * start.turned(turn), directions
            )
        return flat([turned[slot.place][slot.name] for slot in where])

    def shaken(seed: int) -> Point:
        shake = _Shake(seed)
        targets = shake.targets(y, are_shares=network.loss in SHARES)
        return _of_network(network, shake(x), targets, [shake(value) for value in values], shake(np.ones((len(x), 1))))

    return Point(flat(values), gradient, product, shaken)


class _Shake:
    """Changes numbers by 2^-51 of their size, up or down."""

    def __init__(self, seed: int) -> None:
        self._source = np.random.default_rng(seed)

    def __call__(self, values: Array) -> Array:
        return np.asarray(values + self._change(values))

    def targets(self, y: Array, *, are_shares: bool) -> Array:
        """Return changed targets; shares of 0 and 1 stay as they are."""
        return np.asarray(y + self._change(y) * (1.0 - y)) if are_shares else self(y)

    def _change(self, values: Array) -> Array:
        return np.asarray(values * self._source.choice([-2 * _EPS, 2 * _EPS], values.shape))
