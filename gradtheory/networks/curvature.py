"""The curvature of a loss: of a chain's, in SymPy and NumPy, and of a network's, by products of its Hessian.

Parameters stand in the order of `gradtheory.networks.parameters`: all weights, all biases, then those of norms; of a
chain that is w_1 … w_L, b_1 … b_L.

>>> network = Network((1, 1), "identity", w=[[[1.0]]], b=[[0.0]])
>>> hessian(network, [[1.0], [2.0]], [[0.0], [0.0]])
array([[5., 3.],
       [3., 2.]])

"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_count, read_finite_array
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.chains import curvature as of_chains
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature import curvature_recursion, second_derivative
from gradtheory.chains.curvature.numeric import products
from gradtheory.errors import InvalidArgument, Undecided, public
from gradtheory.networks.either import read_either
from gradtheory.networks.losses import ending
from gradtheory.networks.network import Network
from gradtheory.networks.parameters import flat, gradients, parameters, shaped, slots
from gradtheory.networks.passes import forward, hessian_product
from gradtheory.typing import ArrayLike

__all__ = [
    "curvature_recursion",
    "hessian",
    "hessian_vector_product",
    "largest_eigenvalues",
    "second_derivative",
    "sharpest_direction",
    "sharpness",
]

_EPS = 2.0**-52
_DENSE = 64  # rows up to which the matrix itself is cheaper than Lanczos's method
_LARGEST = 4096  # rows of a matrix
_MOST = 100  # eigenvalues


public(__name__)


class Point(NamedTuple):
    """A loss at one point: the parameters and the gradient as vectors, and the Hessian's product with a vector."""

    parameters: Array
    gradient: Array
    product: Callable[[Array], Array]

    @property
    def size(self) -> int:
        """How many parameters there are."""
        return self.parameters.size


def point(network: Chain | Network, x: Any, y: Any, w: Any = None, b: Any = None) -> Point:
    """Return the loss of a chain or a network at its weights; the arguments are those of `sharpness`."""
    if isinstance(chain := read_either(network), Chain):
        product = products(chain, x, y, w, b)
        by = chain.backprop(x, y, w, b)
        return Point(np.concatenate([w, b]), np.concatenate([by.w, by.b]), product)
    network = chain if w is None and b is None else chain.carrying(w, b)
    inputs, targets = network.read_data(x, y)
    where, values = slots(network.nodes), parameters(network.nodes)
    with np.errstate(all="ignore"):
        passed = forward(network.nodes, inputs)
        start = ending(network.loss, passed, targets)
        gradient = flat(gradients(where, passed, start))

    def product_with(vector: Array) -> Array:
        directions: dict[int, dict[str, Array]] = {}
        for slot, part in zip(where, shaped(np.ravel(vector), values), strict=True):
            directions.setdefault(slot.place, {})[slot.name] = part
        with np.errstate(all="ignore"):
            turned = hessian_product(passed, start.place, start.gradient, start.turned, directions)
        return flat([turned[slot.place][slot.name] for slot in where])

    return Point(flat(values), gradient, product_with)


@with_other_names
def hessian(network: Chain | Network, x: ArrayLike, y: ArrayLike, w: Any = None, b: Any = None) -> Array:
    """Return the matrix of second derivatives of the loss.

    Parameters
    ----------
    network : Chain or Network
        A chain of a concrete depth L, or a network of up to 4096 parameters.
    x, y : array_like
        Inputs and targets: of a chain of one batch shape, of a network as for `Network.backprop`.
    w, b : array_like of shape (L,)
        Weights and biases of a chain; of a network sequences of matrices and vectors, unless it carries them.

    Returns
    -------
    ndarray of shape (n, n)
        Symmetric, with a row for each of the n parameters; inf or nan only where products overflow.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or of another shape, or the network is too large.

    References
    ----------
    `gradtheory.curvature.second_derivative` has the formula for a chain; `Network.hvp` the method for a network.

    Examples
    --------
    >>> hessian(Chain(depth=1, activation="identity"), x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0])
    array([[5., 3.],
           [3., 2.]])

    """
    if isinstance(chain := read_either(network), Chain):
        return of_chains.hessian(chain, x, y, w, b)
    at = point(network, x, y, w, b)
    if at.size > _LARGEST:
        raise InvalidArgument("network", network, f"has {at.size} parameters: a matrix may have {_LARGEST} rows")
    return _matrix(at)


@with_other_names
def hessian_vector_product(
    network: Chain | Network, x: ArrayLike, y: ArrayLike, w: Any = None, b: Any = None, v: Any = None
) -> Array:
    """Return the Hessian times a vector, at the cost of two gradients.

    Parameters
    ----------
    network, x, y, w, b
        As for `hessian`; a network may have any number of parameters.
    v : array_like of shape (n,)
        The direction: for all weights, for all biases, then for the gains and biases of norms.

    Returns
    -------
    ndarray of shape (n,)

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or of another shape.

    References
    ----------
    B. Pearlmutter, "Fast exact multiplication by the Hessian" (1994).

    Examples
    --------
    >>> chain = Chain(depth=1, activation="identity")
    >>> hessian_vector_product(chain, x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0], v=[1.0, 0.0])
    array([5., 3.])

    """
    if isinstance(chain := read_either(network), Chain):
        return of_chains.hessian_vector_product(chain, x, y, w, b, v)
    at, direction = point(network, x, y, w, b), read_finite_array(v, "v")
    if direction.shape != (at.size,):
        raise InvalidArgument("v.shape", direction.shape, f"must be ({at.size},): weights, biases, then norms")
    return at.product(direction)


@with_other_names
def sharpness(network: Chain | Network, x: ArrayLike, y: ArrayLike, w: Any = None, b: Any = None) -> Estimate:
    """Return the largest eigenvalue of the Hessian, by Lanczos's method on Hessian-vector products.

    Parameters
    ----------
    network, x, y, w, b
        As for `hessian`; a network may have any number of parameters.

    Returns
    -------
    Estimate
        A float with its `.error`, estimated: what the eigenvector misses by, and the rounding of a matrix of that norm.
        0 where the eigenvalue is within that of 0; negative where the loss curves down in every direction.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or of another shape, or if the Hessian overflows.
    Undecided
        If Lanczos's method fails on a Hessian of more than 4096 rows.

    References
    ----------
    The word: J. Cohen et al., "Gradient descent on neural networks typically occurs at the edge of stability" (2021).
    The method: R. Lehoucq, D. Sorensen & C. Yang, ARPACK (1998).

    Examples
    --------
    >>> h = sharpness(Chain(depth=1, activation="identity"), x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0])
    >>> round(h, 6), h.error < 1e-13
    (6.854102, True)

    """
    return sharpest_direction(network, x, y, w, b)[0]


@with_other_names
def sharpest_direction(
    network: Chain | Network, x: ArrayLike, y: ArrayLike, w: Any = None, b: Any = None
) -> tuple[Estimate, Array]:
    """Return the largest eigenvalue of the Hessian and a unit eigenvector of it; the arguments are `sharpness`'s."""
    if isinstance(chain := read_either(network), Chain):
        return of_chains.sharpest_direction(chain, x, y, w, b)
    values, vectors = largest(point(network, x, y, w, b), 1)
    return values[0], vectors[:, 0]


@with_other_names
def largest_eigenvalues(
    network: Chain | Network, x: ArrayLike, y: ArrayLike, w: Any = None, b: Any = None, *, count: int = 1
) -> tuple[Estimate, ...]:
    """Return the largest eigenvalues of the Hessian, the greatest first, each with its error.

    Parameters
    ----------
    network, x, y, w, b
        As for `sharpness`.
    count : int
        How many, up to 100 and up to the number of parameters.

    Raises
    ------
    InvalidArgument
        As for `sharpness`, or if there are not so many.

    Examples
    --------
    >>> network = Network((1, 1), "identity", w=[[[1.0]]], b=[[0.0]])
    >>> [round(float(h), 4) for h in largest_eigenvalues(network, [[1.0], [2.0]], [[0.0], [0.0]], count=2)]
    [6.8541, 0.1459]

    """
    at = point(network, x, y, w, b)
    return largest(at, read_count(count, "count", min(_MOST, at.size)))[0]


def largest(at: Point, count: int) -> tuple[tuple[Estimate, ...], Array]:
    """Return the largest eigenvalues of a Hessian, the greatest first, and unit eigenvectors as columns."""
    start = np.random.default_rng(0).standard_normal(at.size)
    if not np.isfinite(at.product(start)).all():
        raise InvalidArgument("w", None, "makes second derivatives that overflow; take smaller weights")
    if at.size <= _DENSE or count + 1 >= at.size:
        values, vectors = np.linalg.eigh(_matrix(at))
    else:
        try:
            operator = LinearOperator((at.size, at.size), at.product)
            if count == 1:  # the least one tells the norm too
                values, vectors = eigsh(operator, k=2, which="BE", v0=start)
            else:
                values, vectors = eigsh(operator, k=count, which="LA", v0=start)
        except ArpackError:  # the Hessian is 0, or so near that the iteration breaks down
            if not at.product(start).any():
                return (Estimate(0.0, 0.0),) * count, np.eye(at.size, count)
            if at.size > _LARGEST:
                raise Undecided(f"the eigenvalues of a Hessian of {at.size} rows: Lanczos's method fails") from None
            values, vectors = np.linalg.eigh(_matrix(at))
    rounding = 4.0 * at.size * _EPS * float(np.abs(values).max())
    estimates = []
    for place in range(1, count + 1):
        value, direction = float(values[-place]), vectors[:, -place]
        error = math.hypot(*(at.product(direction) - value * direction)) + rounding  # whose squares may overflow
        estimates.append(Estimate(0.0 if abs(value) <= error else value, error))
    return tuple(estimates), np.asarray(vectors[:, ::-1][:, :count])


def _matrix(at: Point) -> Array:
    matrix = np.stack([at.product(unit) for unit in np.eye(at.size)])
    return np.asarray(0.5 * (matrix + matrix.T))
