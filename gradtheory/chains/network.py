r"""Networks of wide layers in NumPy: z_l = W_l·a_{l-1} + b_l, a_l = σ_l(z_l), a_0 = x, C = Σ loss(a_L, y).

The chain of single neurons is the network of widths 1, 1, …, 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable, shape_and_range
from gradtheory.arithmetic.inputs import Array, read_count, read_finite_array, read_layers
from gradtheory.arithmetic.kinds import read_items
from gradtheory.chains.batches import table_of_sizes
from gradtheory.chains.layers import affine_layer, forward_pass, read_activations, steepest_slopes
from gradtheory.chains.losses import Loss, loss_for
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ActivationLike, ArrayLike

__all__ = ["JacobianBound", "Network", "NetworkGradients"]

_WIDEST, _DEEPEST = 16_384, 100_000


@dataclass(frozen=True)
class NetworkGradients(ShownAsTable):
    """Loss and gradients of a network, summed over the batch.

    Attributes
    ----------
    loss : float
    w : tuple of ndarray
        ∂C/∂W_l, of shapes (n_l, n_{l-1}).
    b : tuple of ndarray
        ∂C/∂b_l, of shapes (n_l,).
    x : ndarray of shape (batch, n_0)
        ∂C/∂x, sample by sample.

    """

    loss: float
    w: tuple[Array, ...]
    b: tuple[Array, ...]
    x: Array

    def __repr__(self) -> str:
        return table_of_sizes(self.loss, self.w, self.b, self.x)


class JacobianBound(NamedTuple):
    r"""An upper bound of \|∂a_L/∂a_0\|, at any input and for any biases.

    Attributes
    ----------
    spectral_norms : ndarray of shape (L,)
        ‖W_l‖, the greatest singular values.
    steepest_slopes : ndarray of shape (L,)
        sup|σ_l'|.
    bound : float
        Π ‖W_l‖·sup|σ_l'|, rounded up: the norms are numeric, and their rounding errors are outweighed.

    """

    spectral_norms: Array
    steepest_slopes: Array
    bound: float

    def __repr__(self) -> str:
        norms, slopes = shape_and_range(self.spectral_norms), shape_and_range(self.steepest_slopes)
        return f"JacobianBound({self.bound:g}: spectral norms {norms}, steepest slopes {slopes})"


@dataclass(frozen=True)
class Network(ShownAsTable):
    """A fully connected network.

    Parameters
    ----------
    widths : sequence of int
        n_0, n_1, …, n_L: the inputs, then the neurons of each layer.
    activation : str, Activation, sympy.Expr or sequence of these
        One for all layers, or one per layer.
    loss : {"squared", "cross_entropy"}
        As for `gradtheory.Chain`, summed over the outputs.

    Attributes
    ----------
    layer_activations : tuple of Activation
        The activation of each layer.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986), eqs 4-7.

    Examples
    --------
    >>> network = Network((2, 3, 1), "tanh")
    >>> w, b = [np.ones((3, 2)), np.ones((1, 3))], [np.zeros(3), np.zeros(1)]
    >>> gradients = network.backprop(x=[[0.5, -0.5]], y=[[1.0]], w=w, b=b)
    >>> gradients.loss, gradients.w[1].shape, gradients.x
    (0.5, (1, 3), array([[-3., -3.]]))

    """

    widths: Sequence[int]
    activation: ActivationLike | Sequence[ActivationLike] = field(default="sigmoid", compare=False)
    loss: str = "squared"
    layer_activations: tuple[Activation, ...] = field(init=False, repr=False)
    loss_record: Loss = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rule = "must be two or more widths, of the inputs and each layer, as (2, 3, 1)"
        widths = read_items(self.widths, "widths", rule)
        if not 2 <= len(widths) <= _DEEPEST:
            raise InvalidArgument("widths", self.widths, rule)
        object.__setattr__(self, "widths", tuple(read_count(width, "widths", _WIDEST) for width in widths))
        activations = read_activations(self.activation, self.depth)
        object.__setattr__(self, "layer_activations", tuple(activations[layer] for layer in range(self.depth)))
        object.__setattr__(self, "loss_record", loss_for(self.loss, self.layer_activations[-1]))

    @property
    def depth(self) -> int:
        """The number L of layers."""
        return len(self.widths) - 1

    def backprop(self, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> NetworkGradients:
        """Return loss and gradients in float64, summed over the batch.

        Parameters
        ----------
        x : array_like of shape (batch, n_0)
            One input a row.
        y : array_like of shape (batch, n_L)
            Their targets.
        w : sequence of array_like, of shapes (n_l, n_{l-1})
            The weights W_1 … W_L: a row for each neuron, as in PyTorch's ``Linear.weight``.
        b : sequence of array_like, of shapes (n_l,)
            The biases.

        Returns
        -------
        NetworkGradients
            Numbers that overflow are inf or nan.

        Raises
        ------
        InvalidArgument
            If an array is not real and finite, or of another shape.

        """
        inputs, targets, weights, biases = self.arrays(x, y, w, b)
        with np.errstate(all="ignore"):
            forward = forward_pass(self.layer_activations, affine_layer, inputs, weights, biases)
            z, last = forward.z[-1], self.layer_activations[-1]
            losses, delta = np.empty((2, z.size))
            self.loss_record.kernel(last, targets.ravel(), np.multiply, z.ravel().copy(), losses, delta)
            delta = delta.reshape(z.shape)
            by_w, by_b = [], []
            for layer in range(self.depth - 1, -1, -1):
                by_w.append(delta.T @ forward.inputs[layer])
                by_b.append(delta.sum(axis=0))
                delta = delta @ weights[layer]  # ∂C/∂a of the layer before
                if layer:
                    delta *= forward.slopes[layer - 1]
            return NetworkGradients(float(losses.sum()), tuple(by_w[::-1]), tuple(by_b[::-1]), delta)

    def jacobian(self, x: ArrayLike, w: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> Array:
        """Return ∂a_L/∂a_0 at every input.

        Parameters
        ----------
        x, w, b
            As for `backprop`.

        Returns
        -------
        ndarray of shape (batch, n_L, n_0)

        Examples
        --------
        >>> Network((2, 2), "identity").jacobian([[1.0, 1.0]], [[[1.0, 2.0], [3.0, 4.0]]], [[0.0, 0.0]])
        array([[[1., 2.],
                [3., 4.]]])

        """
        x = read_finite_array(x, "x")
        inputs, _, weights, biases = self.arrays(x, np.zeros((len(np.atleast_2d(x)), self.widths[-1])), w, b)
        with np.errstate(all="ignore"):
            jacobian = np.broadcast_to(np.eye(self.widths[0]), (len(inputs), self.widths[0], self.widths[0]))
            forward = forward_pass(self.layer_activations, affine_layer, inputs, weights, biases)
            for weight, slope in zip(weights, forward.slopes, strict=True):
                jacobian = slope[:, :, None] * (weight @ jacobian)
            return np.asarray(jacobian)

    def jacobian_bound(self, w: Sequence[ArrayLike]) -> JacobianBound:
        r"""Return the bound \|∂a_L/∂a_0\| ≤ Π ‖W_l‖·sup|σ_l'|, in spectral norms.

        A layer's Jacobian is diag(σ'(z_l))·W_l, and the norm of a product is at most the product of the norms. The
        bound is attained where every slope is greatest and the singular vectors of neighbouring layers meet.

        Parameters
        ----------
        w
            As for `backprop`.

        References
        ----------
        R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013), section
        2.1.

        Examples
        --------
        >>> bound = Network((2, 2, 1), "sigmoid").jacobian_bound([[[3.0, 0.0], [0.0, 4.0]], [[6.0, 8.0]]])
        >>> bound.spectral_norms, round(bound.bound, 12)
        (array([ 4., 10.]), 2.5)

        """
        weights = self._matrices(w)
        norms = np.array([np.linalg.norm(each, 2) for each in weights])
        slopes = steepest_slopes(self.layer_activations)
        # The singular values of an m × n matrix are right to a small multiple of max(m, n) roundings (LAPACK).
        roundings = sum(8.0 + 4.0 * max(each.shape) for each in weights)
        with np.errstate(all="ignore"):
            bound = float(np.prod(norms * slopes)) * (1.0 + roundings * 2.0**-52)
        return JacobianBound(norms, slopes, bound)

    def arrays(
        self, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike], b: Sequence[ArrayLike]
    ) -> tuple[Array, Array, tuple[Array, ...], tuple[Array, ...]]:
        """Return the arguments of `backprop` as finite float64 arrays of the shapes stated there, or refuse them."""
        inputs, targets = read_finite_array(x, "x"), read_finite_array(y, "y")
        for name, array, width in (("x", inputs, self.widths[0]), ("y", targets, self.widths[-1])):
            if array.ndim != 2 or array.shape[1] != width:
                raise InvalidArgument(f"{name}.shape", array.shape, f"must be (batch, {width}): one sample a row")
        if len(inputs) != len(targets):
            rule = f"must be ({len(inputs)}, {self.widths[-1]}), as x has rows"
            raise InvalidArgument("y.shape", targets.shape, rule)
        return inputs, targets, self._matrices(w), self._arrays_of([(width,) for width in self.widths[1:]], b, "b")

    def _matrices(self, w: Any) -> tuple[Array, ...]:
        return self._arrays_of([*zip(self.widths[1:], self.widths[:-1], strict=True)], w, "w")

    def _arrays_of(self, shapes: list[tuple[int, ...]], value: Any, name: str) -> tuple[Array, ...]:
        items = read_layers(value, name, self.depth, f"a sequence of {self.depth} arrays")
        arrays = tuple(read_finite_array(item, f"{name}[{place}]") for place, item in enumerate(items))
        for place, (array, shape) in enumerate(zip(arrays, shapes, strict=True)):
            if array.shape != shape:
                raise InvalidArgument(f"{name}[{place}].shape", array.shape, f"must be {shape}, by the widths")
        return arrays
