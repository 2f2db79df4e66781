r"""Networks in NumPy, with weights or without: z_l = W_l·a_{l-1} + b_l, a_l = σ_l(z_l), a_0 = x, C = loss(a_L, y).

The chain of single neurons is the network of widths 1, 1, …, 1. Networks that are more than dense layers in a row, with
residual sums and norms, are graphs of nodes (`gradtheory.networks.nodes`).
"""

# Above 300 lines: one class, whose methods need their docstrings.

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_count
from gradtheory.arithmetic.kinds import read_items
from gradtheory.chains.layers import read_activations, steepest_slopes
from gradtheory.errors import InvalidArgument
from gradtheory.networks.array_shapes import read_inputs, read_matrices, read_of_shape, read_vectors
from gradtheory.networks.bounds.jacobian import LocalJacobianBound, jacobian_bound_on
from gradtheory.networks.bounds.layers import LayerBounds, layer_bounds_on
from gradtheory.networks.graph import checked, is_plain, output_width, plain_layers, plain_nodes
from gradtheory.networks.losses import ending, read_loss, read_targets
from gradtheory.networks.nodes import INPUT, Dense, Node
from gradtheory.networks.parameters import Slot, gradients
from gradtheory.networks.passes import dense_places, derivative_along, forward, hessian_product, norm_places
from gradtheory.networks.results import JacobianBound, NetworkGradients
from gradtheory.typing import ActivationLike, ArrayLike

_WIDEST, _DEEPEST = 16_384, 100_000


@dataclass(frozen=True, eq=False)
class Network(ShownAsTable):
    """A network: dense layers in a row, or a graph of them with residual sums and norms.

    Parameters
    ----------
    widths : sequence of int
        n_0, n_1, …, n_L: the inputs, then the neurons of each dense layer.
    activation : str, Activation, sympy.Expr or sequence of these
        One for all layers, or one per layer.
    loss : str
        "squared" (½ the sum of squares) or "cross_entropy", as for `gradtheory.Chain`, summed over the outputs and the
        batch; "mse" (the mean of squares), "mse_sum", "softmax_cross_entropy" and "binary_cross_entropy_with_logits"
        (means over the batch), as in PyTorch.
    w, b : sequences of array_like, optional
        The weights and biases that the network carries; left out, they are given to each method.

    Attributes
    ----------
    layer_activations : tuple of Activation
        The activation of each dense layer, the identity where there is none.
    nodes : tuple of Node
        What the network consists of, in the order of the forward pass.
    n_inputs : int

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986), eqs 4-7.

    Examples
    --------
    >>> w, b = [np.ones((3, 2)), np.ones((1, 3))], [np.zeros(3), np.zeros(1)]
    >>> network = Network((2, 3, 1), "tanh", w=w, b=b)
    >>> gradients = network.backprop(x=[[0.5, -0.5]], y=[[1.0]])
    >>> gradients.loss, gradients.w[1].shape, gradients.x
    (0.5, (1, 3), array([[-3., -3.]]))
    >>> Network((2, 3, 1), "tanh").backprop(x=[[0.5, -0.5]], y=[[1.0]], w=w, b=b).loss
    0.5

    """

    widths: Sequence[int]
    activation: ActivationLike | Sequence[ActivationLike] = field(default="sigmoid", compare=False)
    loss: str = "squared"
    w: Sequence[ArrayLike] | None = field(default=None, kw_only=True, repr=False, compare=False)
    b: Sequence[ArrayLike] | None = field(default=None, kw_only=True, repr=False, compare=False)
    layer_activations: tuple[Activation, ...] = field(init=False, repr=False)
    _nodes: tuple[Node, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        rule = "must be two or more widths, of the inputs and each layer, as (2, 3, 1)"
        widths = read_items(self.widths, "widths", rule)
        if not 2 <= len(widths) <= _DEEPEST:
            raise InvalidArgument("widths", self.widths, rule)
        object.__setattr__(self, "widths", tuple(read_count(width, "widths", _WIDEST) for width in widths))
        activations = read_activations(self.activation, self.depth)
        object.__setattr__(self, "layer_activations", tuple(activations[layer] for layer in range(self.depth)))
        read_loss(self.loss, self.layer_activations[-1])
        if (self.w is None) != (self.b is None):
            missing = "b" if self.b is None else "w"
            raise InvalidArgument(missing, None, "must be given too, or neither w nor b")
        if self.w is None or self.b is None:
            object.__setattr__(self, "_nodes", ())
            return
        w, b = read_matrices(self.widths, self.w), read_vectors(self.widths, self.b)
        for name, value in (("w", w), ("b", b), ("_nodes", plain_nodes(w, b, self.layer_activations))):
            object.__setattr__(self, name, value)

    @classmethod
    def from_nodes(cls, nodes: Sequence[Node], n_inputs: int, loss: str = "mse") -> Self:
        """Return the network of these nodes, whose sources and widths are checked.

        Parameters
        ----------
        nodes : sequence of Node
            In the order of the forward pass; the last gives the output. One of them at least is dense.
        n_inputs : int
            The width of the input.
        loss : str
            As for the constructor.

        Examples
        --------
        >>> from gradtheory.networks.nodes import Dense, Node, Sum
        >>> residual = (Node("layer", Dense(np.eye(2)), (-1,)), Node("sum", Sum(), (0, -1)))
        >>> Network.from_nodes(residual, n_inputs=2).forward([[1.0, 2.0]])
        array([[2., 4.]])

        """
        nodes = checked(nodes, read_count(n_inputs, "n_inputs", _WIDEST))
        layers = plain_layers(nodes)
        network = object.__new__(cls)
        values = {
            "widths": (n_inputs, *(len(dense.w) for dense, _ in layers)),
            "activation": [record for _, record in layers],
            "loss": read_loss(loss, layers[-1][1]),
            "w": tuple(dense.w for dense, _ in layers),
            "b": tuple(np.zeros(len(dense.w)) if dense.b is None else dense.b for dense, _ in layers),
            "layer_activations": tuple(record for _, record in layers),
            "_nodes": nodes,
        }
        for name, value in values.items():
            object.__setattr__(network, name, value)
        return network

    @classmethod
    def from_torch(cls, module: Any, loss: str = "mse") -> Self:
        """Return a torch module as a network, with its weights: float32, float16 and bfloat16 are exact in float64.

        Parameters
        ----------
        module : torch.nn.Module
            Made of Linear, the activations of the catalogue, LayerNorm, RMSNorm, sums, products with numbers, and
            modules made of these. It is read as in evaluation: dropout does nothing.
        loss : str
            As for the constructor.

        Raises
        ------
        InvalidArgument
            If it holds anything else; the message lists what, and where it stands.

        Examples
        --------
        >>> network = Network.from_torch(torch.nn.Linear(2, 1))  # doctest: +SKIP

        """
        from gradtheory.networks.readers.torch_module import nodes_of_module

        return cls.from_nodes(*nodes_of_module(module), loss)

    @classmethod
    def from_onnx(cls, path: str | Path, loss: str = "mse") -> Self:
        """Return the network of an ONNX file, with its weights.

        Parameters
        ----------
        path : str or Path
            A file of dense layers (Gemm, or MatMul and Add), activations, norms, residual sums and factors, which holds
            its own weights.
        loss : str
            As for the constructor.

        Raises
        ------
        MissingDependency
            If the extra "networks" is not installed.
        InvalidArgument
            If it is no such file, or holds anything else; the message lists what, and where it stands.

        """
        from gradtheory.networks.readers.onnx_file import nodes_of_file

        if not isinstance(path, str | Path):
            raise InvalidArgument("path", path, "must be the path of an ONNX file")
        return cls.from_nodes(*nodes_of_file(Path(path)), loss)

    @classmethod
    def from_weights(
        cls, weights: Any, activation: ActivationLike | Sequence[ActivationLike], loss: str = "mse"
    ) -> Self:
        """Return dense layers in a row, from their weights by name.

        Parameters
        ----------
        weights : mapping of str to array_like, str or Path
            NAME.weight, a row for each neuron, and NAME.bias, in the order of the layers; or a .safetensors file, whose
            layers are taken in the order of the numbers in their names: a file keeps none. Pickles are refused.
        activation : str, Activation, sympy.Expr or sequence of these
            One for all layers, or one per layer: "identity" where there is none.
        loss : str
            As for the constructor.

        Raises
        ------
        InvalidArgument
            If names or shapes do not make dense layers in a row, or do not tell their order.

        Examples
        --------
        >>> Network.from_weights({"a.weight": [[1.0, 2.0]], "a.bias": [0.5]}, "identity").forward([[1.0, 1.0]])
        array([[3.5]])

        """
        from gradtheory.networks.readers.weights import nodes_of_weights

        return cls.from_nodes(*nodes_of_weights(weights, activation), loss)

    @property
    def depth(self) -> int:
        """The number L of dense layers."""
        return len(self.widths) - 1

    @property
    def n_inputs(self) -> int:
        """The width of the input."""
        return self.widths[0]

    @property
    def is_plain(self) -> bool:
        """Whether it is dense layers in a row, each with an activation or none."""
        return not self._nodes or is_plain(self._nodes)

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What the network consists of; refused for a network without weights."""
        if not self._nodes:
            raise InvalidArgument("w", None, "is needed: the network carries no weights; give w= and b=")
        return self._nodes

    def carrying(self, w: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> Self:
        """Return the network with these weights and biases of its dense layers, in place of those that it carries.

        Parameters
        ----------
        w, b : sequences of array_like
            As for `backprop`. A layer without a bias stays one: its b is 0.

        Examples
        --------
        >>> Network((1, 1), "identity").carrying([[[2.0]]], [[1.0]]).forward([[3.0]])
        array([[7.]])

        """
        matrices, vectors = read_matrices(self.widths, w), read_vectors(self.widths, b)
        nodes = self._nodes or plain_nodes(matrices, vectors, self.layer_activations)
        rows = iter(zip(matrices, vectors, strict=True))
        changed = [
            replace(node, operation=_dense(node, *next(rows))) if isinstance(node.operation, Dense) else node
            for node in nodes
        ]
        return self.from_nodes(changed, self.n_inputs, self.loss)

    def read_data(self, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
        """Return x and y as arrays of the shapes that the network takes, or raise InvalidArgument."""
        return self._data(x, y, self.nodes)

    def forward(
        self, x: ArrayLike, w: Sequence[ArrayLike] | None = None, b: Sequence[ArrayLike] | None = None
    ) -> Array:
        """Return the output, of shape (batch, n_L); the arguments are those of `backprop`."""
        nodes = self._with(w, b)
        with np.errstate(all="ignore"):
            return forward(nodes, read_inputs(x, self.n_inputs)).output.copy()

    def backprop(
        self,
        x: ArrayLike,
        y: ArrayLike,
        w: Sequence[ArrayLike] | None = None,
        b: Sequence[ArrayLike] | None = None,
    ) -> NetworkGradients:
        """Return loss and gradients in float64, over the batch.

        Parameters
        ----------
        x : array_like of shape (batch, n_0)
            One input a row.
        y : array_like of shape (batch, n_L)
            Their targets; classes, of shape (batch,), for "softmax_cross_entropy".
        w : sequence of array_like, of shapes (n_l, n_{l-1}), optional
            The weights W_1 … W_L: a row for each neuron, as in PyTorch's ``Linear.weight``. Left out, those that the
            network carries.
        b : sequence of array_like, of shapes (n_l,), optional
            The biases.

        Returns
        -------
        NetworkGradients
            Numbers that overflow are inf or nan.

        Raises
        ------
        InvalidArgument
            If an array is not real and finite, or of another shape, or there is no sample.

        """
        nodes = self._with(w, b)
        inputs, targets = self._data(x, y, nodes)
        with np.errstate(all="ignore"):
            passed = forward(nodes, inputs)
            start = ending(self.loss, passed, targets)
            dense, norms = dense_places(nodes), norm_places(nodes)
            wanted = {"w": dense, "b": dense, "gain": norms, "bias": norms, "x": [INPUT]}
            where = [Slot(place, name) for name, places in wanted.items() for place in places]
            by = dict(zip(where, gradients(where, passed, start), strict=True))
        w, b, gains, biases, x = (tuple(by[Slot(k, name)] for k in places) for name, places in wanted.items())
        return NetworkGradients(start.loss, w, b, x[0], tuple(zip(gains, biases, strict=True)))

    def jacobian(
        self, x: ArrayLike, w: Sequence[ArrayLike] | None = None, b: Sequence[ArrayLike] | None = None
    ) -> Array:
        """Return ∂a_L/∂a_0 at every input, one direction of the narrower end at a time.

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
        nodes, inputs = self._with(w, b), read_inputs(x, self.n_inputs)
        n_outputs = output_width(nodes, self.n_inputs)
        with np.errstate(all="ignore"):
            passed = forward(nodes, inputs)
            if self.n_inputs <= n_outputs:
                units = (np.broadcast_to(unit, inputs.shape) for unit in np.eye(self.n_inputs))
                return np.stack([passed.along(unit)[-1] for unit in units], axis=2)
            units = (np.broadcast_to(unit, passed.output.shape) for unit in np.eye(n_outputs))
            return np.stack([passed.back(unit).by_x for unit in units], axis=1)

    def jvp(self, x: ArrayLike, v: ArrayLike) -> Array:
        """Return ∂a_L/∂a_0·v at every input: how the output changes along v.

        Parameters
        ----------
        x : array_like of shape (batch, n_0)
            One input a row.
        v : array_like of shape (batch, n_0)
            The direction at each.

        Returns
        -------
        ndarray of shape (batch, n_L)

        """
        inputs = read_inputs(x, self.n_inputs)
        direction = read_of_shape(v, "v", inputs.shape)
        with np.errstate(all="ignore"):
            return derivative_along(self.nodes, inputs, direction)

    def vjp(self, x: ArrayLike, u: ArrayLike) -> Array:
        """Return (∂a_L/∂a_0)ᵀ·u at every input: the gradient by x of Σ u·a_L.

        Parameters
        ----------
        x : array_like of shape (batch, n_0)
            One input a row.
        u : array_like of shape (batch, n_L)
            The weights of the outputs at each.

        Returns
        -------
        ndarray of shape (batch, n_0)

        """
        inputs = read_inputs(x, self.n_inputs)
        gradient = read_of_shape(u, "u", (len(inputs), output_width(self.nodes, self.n_inputs)))
        with np.errstate(all="ignore"):
            for _, by_output in forward(self.nodes, inputs).walk_back(gradient):
                gradient = by_output  # the last is that by x
            return gradient

    def hvp(
        self, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike], b: Sequence[ArrayLike]
    ) -> tuple[tuple[Array, ...], tuple[Array, ...]]:
        """Return the Hessian of the loss by all weights and biases, times a direction, in the time of two gradients.

        Parameters
        ----------
        x, y : array_like
            As for `backprop`.
        w, b : sequences of array_like
            The direction, in the shapes of the weights and biases.

        Returns
        -------
        pair of tuples of ndarray
            The product's part by the weights and by the biases.

        References
        ----------
        B. Pearlmutter, "Fast exact multiplication by the Hessian", Neural Computation 6 (1994).

        """
        inputs, targets = self._data(x, y, self.nodes)
        places = dense_places(self.nodes)
        rows = zip(places, read_matrices(self.widths, w), read_vectors(self.widths, b), strict=True)
        directions = {place: {"w": by_w, "b": by_b} for place, by_w, by_b in rows}
        with np.errstate(all="ignore"):
            passed = forward(self.nodes, inputs)
            start = ending(self.loss, passed, targets)
            products = hessian_product(passed, start.place, start.gradient, start.turned, directions)
        return tuple(products[place]["w"] for place in places), tuple(products[place]["b"] for place in places)

    def jacobian_bound(
        self, box: tuple[ArrayLike, ArrayLike] | None = None, *, w: Sequence[ArrayLike] | None = None
    ) -> JacobianBound | LocalJacobianBound:
        r"""Return an upper bound of \|∂a_L/∂a_0\| in spectral norms: on a box, or at any input and for any biases.

        On a box it is certified, and local: the least of what the layers' norms with their slopes on the box give, of
        bounds of the entries, of the deviations from the Jacobian in the middle, and, for up to three inputs, of boxes
        cut in halves. Without a box it is Π ‖W_l‖·sup|σ_l'|, for dense layers in a row: a layer's Jacobian is
        diag(σ'(z_l))·W_l, and the norm of a product is at most the product of the norms.

        Parameters
        ----------
        box : pair of array_like of shape (n_0,), optional
            (lower, upper).
        w
            As for `backprop`; only without a box, as the slopes on a box rest on the biases too.

        Raises
        ------
        InvalidArgument
            If a box is given together with w, or an argument breaks a rule.

        References
        ----------
        R. Pascanu, T. Mikolov & Y. Bengio, "On the difficulty of training recurrent neural networks" (2013), section
        2.1.

        Examples
        --------
        >>> network = Network((2, 2, 1), "sigmoid", w=[[[3.0, 0.0], [0.0, 4.0]], [[6.0, 8.0]]], b=[[0, 0], [0]])
        >>> bound = network.jacobian_bound()
        >>> bound.spectral_norms, round(float(bound), 12)
        (array([ 4., 10.]), 2.5)
        >>> network.jacobian_bound(([0, 0], [1, 1]))
        LocalJacobianBound(sup ‖J‖ ≤ 0.00835472, certified on the box by slopes at their ends)

        """
        if box is not None:
            if w is not None:
                raise InvalidArgument("w", w, "must be left out with a box: the network carries its weights")
            return jacobian_bound_on(self.nodes, self.n_inputs, box)
        weights = [each.w for each in self._dense_in_a_row()] if w is None else read_matrices(self.widths, w)
        norms = np.array([np.linalg.norm(each, 2) for each in weights])
        slopes = steepest_slopes(self.layer_activations)
        # The singular values of an m × n matrix are right to a small multiple of max(m, n) roundings (LAPACK).
        roundings = sum(8.0 + 4.0 * max(each.shape) for each in weights)
        with np.errstate(all="ignore"):
            bound = _product(np.concatenate([norms, slopes])) * (1.0 + roundings * 2.0**-52)
        return JacobianBound(norms, slopes, bound)

    def layer_bounds(self, box: tuple[ArrayLike, ArrayLike]) -> LayerBounds:
        r"""Return what is certified of every dense layer on a box of inputs.

        Parameters
        ----------
        box : pair of array_like of shape (n_0,)
            (lower, upper).

        Returns
        -------
        LayerBounds
            For each layer the range of its pre-activations and slopes, and upper bounds of ‖W‖ and ‖diag(σ'(z))·W‖;
            all rounding errors are counted.

        Examples
        --------
        >>> Network((1, 1, 1), ["tanh", "gelu"], w=[[[3.1]], [[2.3]]], b=[[0.0], [0.0]]).layer_bounds(([0.5], [2]))
        layer   activation  ‖W‖ ≤  σ' from     to        ‖diag(σ')·W‖ ≤
        layer1  tanh        3.1    1.64742e-5  0.164997  0.511488
        layer2  gelu        2.3    1.05442     1.07433   2.47094

        """
        return layer_bounds_on(self.nodes, self.n_inputs, box)

    def check_data(self, x: ArrayLike, y: ArrayLike, w: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> None:
        """Raise InvalidArgument unless these are arguments of `backprop`."""
        self._data(x, y, self._with(w, b))

    def _data(self, x: ArrayLike, y: ArrayLike, nodes: Sequence[Node]) -> tuple[Array, Array]:
        inputs = read_inputs(x, self.n_inputs, for_a_loss=True)
        return inputs, read_targets(self.loss, y, (len(inputs), output_width(nodes, self.n_inputs)))

    def _dense_in_a_row(self) -> list[Dense]:
        if not is_plain(self.nodes):
            raise InvalidArgument("network", self, "must be dense layers in a row for a bound that holds at any input")
        return [node.operation for node in self.nodes if isinstance(node.operation, Dense)]

    def _with(self, w: Sequence[ArrayLike] | None, b: Sequence[ArrayLike] | None) -> tuple[Node, ...]:
        """Return the nodes with weights given at a call, or with those that the network carries."""
        if w is None and b is None:
            return self.nodes
        if w is None or b is None:
            raise InvalidArgument("b" if b is None else "w", None, "must be given too, or neither w nor b")
        if not self.is_plain:
            raise InvalidArgument("w", w, "must be left out: the network is a graph, and carries its weights")
        return self._plain(w, b)

    def _plain(self, w: Sequence[ArrayLike], b: Sequence[ArrayLike]) -> tuple[Node, ...]:
        return plain_nodes(read_matrices(self.widths, w), read_vectors(self.widths, b), self.layer_activations)


def _dense(node: Node, w: Array, b: Array) -> Dense:
    """Return a dense layer with other weights."""
    if isinstance(node.operation, Dense) and node.operation.b is None:
        if np.any(b):
            raise InvalidArgument("b", b, f"must be 0 for {node.name!r}, which has no bias")
        return Dense(w)
    return Dense(w, b)


def _product(factors: Array) -> float:
    """Return a product of which no part overflows or underflows before the whole does."""
    if not factors.all():
        return 0.0
    fraction, exponent = 1.0, 0
    for factor, power in zip(*(each.tolist() for each in np.frexp(factors)), strict=True):
        fraction, more = math.frexp(fraction * factor)
        exponent += power + more
    return max(float(np.ldexp(fraction, exponent)), 5e-324)
