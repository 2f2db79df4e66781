"""The Hessian of a chain's loss in float64: as a matrix, and its products with vectors by forward over reverse.

Parameters stand in the order w_1 … w_L, b_1 … b_L. The matrix comes from the recursion of κ_l; the products come from
differentiating backpropagation along a direction. The two share only the forward and the backward pass.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradtheory.arithmetic.inputs import Array, read_finite_array, read_parameters, read_samples
from gradtheory.chains.chain import Chain
from gradtheory.chains.layers import affine_neuron, forward_pass
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike


class _Passes(NamedTuple):
    """What one forward and one backward pass leave; rows are layers, columns samples.

    `inputs` are a_0 … a_{L-1}, `slopes` and `bends` σ' and σ'' at z_1 … z_L, `delta` ∂C/∂z_l, `loss_bend` ∂²C/∂z_L².
    """

    w: Array
    inputs: Array
    slopes: Array
    bends: Array
    delta: Array
    loss_bend: Array


def hessian(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike) -> Array:
    """Return the matrix of second derivatives of the loss, summed over the batch.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth L.
    x, y : array_like
        Inputs and targets, of one batch shape.
    w, b : array_like of shape (L,)
        Weights and biases.

    Returns
    -------
    ndarray of shape (2L, 2L)
        Symmetric; inf or nan only where products overflow.

    Raises
    ------
    InvalidArgument
        If an array is not real and finite, or of another shape.

    References
    ----------
    `gradtheory.curvature.second_derivative` has the formula.

    Examples
    --------
    >>> hessian(Chain(depth=1, activation="identity"), x=[1.0, 2.0], y=[0.0, 0.0], w=[1.0], b=[0.0])
    array([[5., 3.],
           [3., 2.]])

    """
    with np.errstate(all="ignore"):
        passes = _both_passes(chain, x, y, w, b)
        depth, samples = passes.delta.shape
        matrix = np.empty((2, depth, 2, depth))
        travelled, ahead = np.empty((0, samples)), np.empty((0, samples))
        for layer, kappa in enumerate(_kappas(passes)):
            entering = passes.inputs[layer]
            after = np.empty((layer + 1, samples))  # T from every layer up to this one
            after[layer] = 1.0
            if layer:
                ahead = travelled * passes.slopes[layer - 1]
                np.multiply(ahead, passes.w[layer], out=after[:layer])
            by_bias = after * kappa
            by_weight = by_bias * entering
            by_weight[:layer] += ahead * passes.delta[layer]
            for first, scale in enumerate((passes.inputs[: layer + 1], None)):
                for second, rows in enumerate((by_weight, by_bias)):
                    entries = rows.sum(axis=1) if scale is None else np.einsum("ij,ij->i", rows, scale)
                    matrix[first, : layer + 1, second, layer] = entries
                    matrix[second, layer, first, : layer + 1] = entries
            travelled = after
        return matrix.reshape(2 * depth, 2 * depth)


def hessian_vector_product(chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, v: ArrayLike) -> Array:
    """Return the Hessian times a vector of shape (2L,): for w_1 … w_L, then for b_1 … b_L (Pearlmutter, 1994)."""
    (_, product), direction = gradient_and_product(chain, x, y, w, b), read_finite_array(v, "v")
    if direction.shape != (2 * chain.depth,):
        raise InvalidArgument("v.shape", direction.shape, f"must be ({2 * chain.depth},): weights, then biases")
    return product(direction)


def gradient_and_product(
    chain: Chain, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, *, shares: Array | float = 1.0
) -> tuple[Array, Callable[[Array], Array]]:
    """Return the gradient and the function v ↦ Hessian·v; the two passes are made once for all directions.

    The loss of each sample is multiplied by its share.
    """
    with np.errstate(all="ignore"):
        passes = _both_passes(chain, x, y, w, b)
        passes = passes._replace(delta=passes.delta * shares, loss_bend=passes.loss_bend * shares)
        gradient = np.concatenate([np.einsum("ij,ij->i", passes.delta, passes.inputs), passes.delta.sum(axis=1)])

    def product(direction: Array) -> Array:
        with np.errstate(all="ignore"):
            return _product(passes, direction)

    return gradient, product


def _product(passes: _Passes, direction: Array) -> Array:
    depth = len(passes.w)
    by_w, by_b = direction[:depth], direction[depth:]
    entering = np.zeros_like(passes.inputs)  # the directional derivatives of a_0 … a_{L-1}
    moved = np.empty_like(passes.delta)  # those of z_1 … z_L
    for layer in range(depth):
        moved[layer] = by_w[layer] * passes.inputs[layer] + passes.w[layer] * entering[layer] + by_b[layer]
        if layer + 1 < depth:
            entering[layer + 1] = passes.slopes[layer] * moved[layer]
    turned = np.empty_like(passes.delta)  # those of δ_1 … δ_L
    turned[-1] = passes.loss_bend * moved[-1]
    for layer in range(depth - 2, -1, -1):
        weight, delta = passes.w[layer + 1], passes.delta[layer + 1]
        turned[layer] = passes.bends[layer] * moved[layer] * weight * delta + passes.slopes[layer] * (
            by_w[layer + 1] * delta + weight * turned[layer + 1]
        )
    along_w = np.einsum("ij,ij->i", turned, passes.inputs) + np.einsum("ij,ij->i", passes.delta, entering)
    return np.concatenate([along_w, turned.sum(axis=1)])


def _kappas(passes: _Passes) -> Array:
    """Return κ_1 … κ_L."""
    kappas = np.empty_like(passes.delta)
    kappas[-1] = passes.loss_bend
    for layer in range(len(kappas) - 2, -1, -1):
        weight, slope = passes.w[layer + 1], passes.slopes[layer]
        kappas[layer] = (slope * weight) ** 2 * kappas[layer + 1] + passes.bends[layer] * weight * passes.delta[
            layer + 1
        ]
    return kappas


def _both_passes(chain: Chain, x: Any, y: Any, w: Any, b: Any) -> _Passes:
    activations = read_concrete_chain(chain).layer_activations
    depth = len(activations)
    weights, biases = read_parameters(w, "w", depth), read_parameters(b, "b", depth)
    samples, target = read_samples(x, y)
    inputs, z, slopes = map(np.array, forward_pass(activations, affine_neuron, samples, weights, biases))
    bends = np.empty_like(z)
    for record in set(activations):
        rows = [layer for layer, activation in enumerate(activations) if activation is record]
        bends[rows] = record.bend(z[rows])
    delta = np.empty_like(z)
    losses = np.empty_like(samples)
    chain.loss_record.kernel(activations[-1], target, np.multiply, z[-1].copy(), losses, delta[-1])
    for layer in range(depth - 2, -1, -1):
        delta[layer] = slopes[layer] * weights[layer + 1] * delta[layer + 1]
    loss_bend = chain.loss_record.bend(activations[-1], target, z[-1])
    return _Passes(weights, inputs, slopes, bends, delta, loss_bend)
