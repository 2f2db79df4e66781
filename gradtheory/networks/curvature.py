"""The curvature of a loss: of a chain's, in SymPy and NumPy, and of a network's, by products of its Hessian.

Parameters stand in the order of `gradtheory.networks.parameters`: all weights, all biases, then those of norms; of a
chain that is w_1 … w_L, b_1 … b_L.

>>> network = Network((1, 1), "identity", w=[[[1.0]]], b=[[0.0]])
>>> hessian(network, [[1.0], [2.0]], [[0.0], [0.0]])
array([[5., 3.],
       [3., 2.]])

"""

from typing import Any

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array, read_count, read_finite_array
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.chains import curvature as of_chains
from gradtheory.chains.chain import Chain
from gradtheory.chains.curvature import curvature_recursion, second_derivative
from gradtheory.errors import InvalidArgument, public
from gradtheory.networks.eigenvalues import LARGEST_MATRIX, largest, matrix
from gradtheory.networks.either import read_either
from gradtheory.networks.network import Network
from gradtheory.networks.point import point
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

_MOST = 100  # eigenvalues


public(__name__)


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
    if at.size > LARGEST_MATRIX:
        raise InvalidArgument("network", network, f"has {at.size} parameters: a matrix may have {LARGEST_MATRIX} rows")
    return matrix(at)


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
        A float with its `.error`, estimated: what the eigenvector misses by, the rounding of a matrix of that norm, and
        four times what a change of all data and parameters in their last digits does.
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
