"""Checks of other people's gradients, for chains of single neurons and for wide networks."""

import itertools
from collections.abc import Sequence

import numpy.typing as npt

from gradtheory.chains.chain import Chain
from gradtheory.networks.network import Network
from gradtheory.testing.cases import (
    ChainCase,
    NetworkCase,
    chain_case,
    layers_in,
    network_case,
    read_records,
)
from gradtheory.testing.check import Check
from gradtheory.testing.verdict import Implementation
from gradtheory.typing import ActivationLike, ArrayLike

_MOST_WEIGHTS = 1_000  # of networks that hypothesis generates


def assert_gradients(
    fn: Implementation,
    activation: ActivationLike | Sequence[ActivationLike] = "sigmoid",
    depth: int | None = None,
    loss: str = "squared",
    cases: int = 100,
    *,
    dtype: npt.DTypeLike = "float64",
    at_kinks: str = "one-sided",
) -> None:
    r"""Check an implementation of the gradients of chains against numbers that are proven.

    It is called with chains of plain numbers, of kinks that are hit exactly, of saturated layers, of weights next to
    the critical one, of exploding gradients and of huge data, in batches of 1 to 17. What it returns may differ from
    the exact gradient by what rounding explains, carried through the chain's own condition numbers, and no more.

    Parameters
    ----------
    fn : callable
        ``fn(x, y, w, b)`` takes NumPy arrays of shapes (batch,), (batch,), (L,), (L,), and returns a mapping with any
        of "loss", "w", "b", "x": the loss summed over the batch, and its gradients, in the shapes of these arguments.
        Whatever converts by ``__array__`` or DLPack is compared: NumPy, PyTorch, JAX, …. It must not change them.
    activation : str, sympy.Expr, Activation or sequence of these
        As in `gradtheory.activation`: one for all layers, or one per layer.
    depth : int, optional
        L; unless given, as many as there are activations in a sequence, or 1 to 6.
    loss : {"squared", "cross_entropy"}
        ½(a_L - y)², or -y·ln a_L - (1 - y)·ln(1 - a_L).
    cases : int
        How many chains are tried. With hypothesis installed, it generates them and shrinks a failing one; 60 of a fixed
        list follow. Without it they are the first of the fixed list.
    dtype : {"float64", "float32", "bfloat16", "float16"}
        The float type in which it computes. Arguments are arrays of it; bfloat16, which NumPy lacks, comes in float32.
    at_kinks : {"one-sided", "either"}
        What is right exactly on a kink: the one-sided slope that PyTorch and the catalogue take, or any slope between
        the two one-sided ones.

    Raises
    ------
    AssertionError
        If a gradient is wrong on some chain, or cannot be compared. The message holds the smallest failing chain, the
        layer, the errors, and a test to paste.
    InvalidArgument
        If another argument breaks a rule.
    Undecided
        If the exact gradients are proven in no case; cases in which they are not are left out.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     result = Chain(depth=len(w), activation="tanh").backprop(x, y, w, b)
    ...     return {"loss": result.loss, "w": result.w, "b": -result.b}
    >>> try:
    ...     assert_gradients(gradients, activation="tanh")
    ... except AssertionError as error:
    ...     print("\n".join(str(error).splitlines()[:6]))
    gradients: ∂C/∂b of layer 1 is wrong: -0.06810934371355651 in place of 0.06810934371355652
    smallest failing case: depth 1, tanh, squared loss, batch 1
        x = [1.0]
        y = [0.0]
        w = [1.0]
        b = [1.0]

    """
    records = read_records(activation)
    Chain((layers_in(records) or 1) if depth is None else depth, records, loss)  # refuses what does not fit, by name

    check = Check.of(fn, dtype, at_kinks)
    check.run(lambda source: chain_case(source, records, depth, loss, check.dtype), cases)


def assert_gradients_at(
    fn: Implementation,
    x: ArrayLike,
    y: ArrayLike,
    w: ArrayLike,
    b: ArrayLike,
    activation: ActivationLike | Sequence[ActivationLike] = "sigmoid",
    loss: str = "squared",
    *,
    dtype: npt.DTypeLike = "float64",
    at_kinks: str = "one-sided",
) -> None:
    """Check an implementation of the gradients of a chain on one chain.

    Parameters
    ----------
    fn, activation, loss, dtype, at_kinks
        As for `assert_gradients`; the activation may be a sequence, one per layer.
    x, y : array_like of shape (batch,)
        Inputs and targets.
    w, b : array_like of shape (L,)
        Weights and biases.

    Raises
    ------
    AssertionError
        If it is wrong there.
    InvalidArgument
        If another argument breaks a rule.
    Undecided
        If the exact gradients are not proven there.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     return {"x": Chain(depth=2).backprop(x, y, w, b).x}
    >>> assert_gradients_at(gradients, x=[0.5], y=[1.0], w=[7.0, -7.0], b=[0.0, 3.5])

    """
    check = Check.of(fn, dtype, at_kinks)
    arrays = [check.read(value, name) for value, name in ((x, "x"), (y, "y"), (w, "w"), (b, "b"))]
    chain = Chain(max(1, arrays[2].size), activation, loss)
    check.report(check.judge(ChainCase(chain, *arrays)))


def assert_network_gradients(
    fn: Implementation,
    activation: ActivationLike | Sequence[ActivationLike] = "sigmoid",
    widths: Sequence[int] | None = None,
    loss: str = "squared",
    cases: int = 100,
    *,
    dtype: npt.DTypeLike = "float64",
    at_kinks: str = "one-sided",
) -> None:
    r"""Check an implementation of the gradients of wide networks against numbers that are proven.

    Parameters
    ----------
    fn : callable
        ``fn(x, y, w, b)`` takes x and y of shapes (batch, n_0) and (batch, n_L), a list of L weight matrices of shapes
        (n_l, n_{l-1}), and a list of L biases of shapes (n_l,). It returns a mapping with any of "loss" (summed over
        batch and outputs), "w" and "b" (sequences of L arrays), and "x" (of the shape of x).
    widths : sequence of int, optional
        n_0 … n_L; unless given, 1 to 4 neurons in as many layers as there are activations in a sequence, or 1 to 3.
        With more than 1,000 weights the cases are fixed ones, and a failing one is not made smaller.
    activation, loss, cases, dtype, at_kinks
        As for `assert_gradients`.

    Raises
    ------
    AssertionError, InvalidArgument, Undecided
        As `assert_gradients`.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     widths = (x.shape[1], *map(len, b))
    ...     return {"w": Network(widths, "relu").backprop(x, y, w, b).w}
    >>> assert_network_gradients(gradients, activation="relu", cases=20)

    """
    records = read_records(activation)
    Network((1,) * ((layers_in(records) or 1) + 1) if widths is None else widths, records, loss)  # refuses by name

    check = Check.of(fn, dtype, at_kinks)
    weights = sum(before * after for before, after in itertools.pairwise(() if widths is None else widths))
    check.run(
        lambda source: network_case(source, records, widths, loss, check.dtype),
        cases,
        is_small=weights <= _MOST_WEIGHTS,
    )


def assert_network_gradients_at(
    fn: Implementation,
    x: ArrayLike,
    y: ArrayLike,
    w: Sequence[ArrayLike],
    b: Sequence[ArrayLike],
    activation: ActivationLike | Sequence[ActivationLike] = "sigmoid",
    loss: str = "squared",
    *,
    dtype: npt.DTypeLike = "float64",
    at_kinks: str = "one-sided",
) -> None:
    """Check an implementation of the gradients of wide networks on one network.

    Parameters
    ----------
    fn, activation, loss, dtype, at_kinks
        As for `assert_network_gradients`; the activation may be a sequence, one per layer.
    x, y, w, b
        As for `Network.backprop`.

    Raises
    ------
    AssertionError, InvalidArgument, Undecided
        As `assert_gradients_at`.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     return {"x": Network((2, 1), "tanh").backprop(x, y, w, b).x}
    >>> assert_network_gradients_at(gradients, [[1.0, 2.0]], [[0.0]], [[[0.5, -0.5]]], [[0.0]], activation="tanh")

    """
    check = Check.of(fn, dtype, at_kinks)
    inputs, targets = check.read(x, "x"), check.read(y, "y")
    weights, biases = (check.read_each(arrays, name) for arrays, name in ((w, "w"), (b, "b")))
    network = Network((*inputs.shape[1:], *(bias.size for bias in biases)), activation, loss)
    check.report(check.judge(NetworkCase(network, inputs, targets, weights, biases)))
