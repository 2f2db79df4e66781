"""Checks of other people's gradients, for chains of single neurons and for wide networks."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import Array, dtype_name, one_of, read_array, read_count
from gradtheory.chains.chain import Chain
from gradtheory.chains.network import Network
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.testing.cases import ChainCase, NetworkCase, Source, chain_case, fixed_cases, network_case
from gradtheory.testing.message import message
from gradtheory.testing.verdict import Case, Failure, Implementation, judged

_MOST_CASES = 1_000_000
_ALWAYS = 60  # fixed cases that come after hypothesis's: every kind of case, every saturating bias
_KINKS = ("one-sided", "either")
_SMALLEST = "smallest failing case"
_TYPES = ("float32", "float64")

_C = TypeVar("_C", bound=Case)
_Build = Callable[[Source], _C]


def assert_gradients(
    fn: Implementation,
    activation: Any = "sigmoid",
    depth: int | None = None,
    loss: str = "squared",
    cases: int = 100,
    *,
    dtype: Any = "float64",
    at_kinks: str = "one-sided",
) -> None:
    r"""Check an implementation of the gradients of chains against numbers that are proven.

    It is run on chains with kinks that are hit exactly, saturated layers, weights next to the critical one, exploding
    gradients and plain numbers, in batches of 1 to 17. What it returns may differ from the exact gradient by what
    rounding explains, carried through the chain's own condition numbers, and no more.

    Parameters
    ----------
    fn : callable
        ``fn(x, y, w, b)`` takes NumPy arrays of shapes (batch,), (batch,), (L,), (L,), and returns a mapping with any
        of "loss", "w", "b", "x": the loss summed over the batch, and its gradients, in the shapes of these arguments.
        Whatever converts by ``__array__`` or DLPack is compared: NumPy, PyTorch, JAX, TensorFlow, ….
    activation : str, Activation or sympy.Expr
        As in `gradtheory.activation`.
    depth : int, optional
        L; 1 to 6 unless given.
    loss : {"squared", "cross_entropy"}
        ½(a_L - y)², or -y·ln a_L - (1 - y)·ln(1 - a_L).
    cases : int
        How many chains are generated. With hypothesis installed they are its own, and a failing one is shrunk; 60 of
        a fixed list follow. Without it they are so many of the fixed list.
    dtype : {"float64", "float32"}
        The float type of the arguments, in which it computes.
    at_kinks : {"one-sided", "either"}
        What is right exactly on a kink: the one-sided slope that PyTorch and the catalogue take, or any between both.

    Raises
    ------
    AssertionError
        If it is wrong on some chain, or returns what cannot be compared. The message holds the smallest failing chain,
        the layer, the errors, and a test to paste.
    InvalidArgument
        If another argument breaks a rule.
    Undecided
        If the exact gradients are proven in no case; cases in which they are not are left out.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     found = Chain(depth=len(w), activation="tanh").backprop(x, y, w, b)
    ...     return {"loss": found.loss, "w": found.w, "b": -found.b}
    >>> try:
    ...     assert_gradients(gradients, activation="tanh")
    ... except AssertionError as error:
    ...     print("\n".join(str(error).splitlines()[:6]))
    gradients: ∂C/∂b of layer 1 is wrong: -0.06810934371355652 in place of 0.06810934371355652
    smallest failing case: depth 1, tanh, squared loss, batch 1
        x = [1.0]
        y = [0.0]
        w = [1.0]
        b = [1.0]

    """
    record = as_activation(activation)
    Chain(1 if depth is None else depth, record, loss)  # refuses what does not fit, by name

    def build(source: Source) -> ChainCase:
        return chain_case(source, record, depth, loss, dtype)

    _check(fn, build, cases, dtype, at_kinks)


def assert_gradients_at(
    fn: Implementation,
    x: Any,
    y: Any,
    w: Any,
    b: Any,
    activation: Any = "sigmoid",
    loss: str = "squared",
    *,
    dtype: Any = "float64",
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
    Undecided
        If the exact gradients are not proven there.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     return {"x": Chain(depth=2).backprop(x, y, w, b).x}
    >>> assert_gradients_at(gradients, x=[0.5], y=[1.0], w=[7.0, -7.0], b=[0.0, 3.5])

    """
    kind, either = _options(dtype, at_kinks)
    arrays = [_rounded(each, name, kind) for each, name in ((x, "x"), (y, "y"), (w, "w"), (b, "b"))]
    chain = Chain(max(1, arrays[2].size), activation, loss)
    _report(fn, judged(fn, ChainCase(chain, *arrays), kind, either), kind, _SMALLEST)


def assert_network_gradients(
    fn: Implementation,
    activation: Any = "sigmoid",
    widths: Sequence[int] | None = None,
    loss: str = "squared",
    cases: int = 100,
    *,
    dtype: Any = "float64",
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
        n_0 … n_L; 1 to 3 layers of 1 to 4 neurons unless given.
    activation, loss, cases, dtype, at_kinks
        As for `assert_gradients`.

    Raises
    ------
    AssertionError, InvalidArgument, Undecided
        As `assert_gradients`.

    Examples
    --------
    >>> def gradients(x, y, w, b):
    ...     widths = (x.shape[1], *(len(each) for each in b))
    ...     return {"w": Network(widths, "relu").backprop(x, y, w, b).w}
    >>> assert_network_gradients(gradients, activation="relu")

    """
    record = as_activation(activation)
    Network((1, 1) if widths is None else widths, record, loss)  # refuses what does not fit, by name

    def build(source: Source) -> NetworkCase:
        return network_case(source, record, widths, loss, dtype)

    _check(fn, build, cases, dtype, at_kinks)


def assert_network_gradients_at(
    fn: Implementation,
    x: Any,
    y: Any,
    w: Sequence[Any],
    b: Sequence[Any],
    activation: Any = "sigmoid",
    loss: str = "squared",
    *,
    dtype: Any = "float64",
    at_kinks: str = "one-sided",
) -> None:
    """Check an implementation of the gradients of wide networks on one network; the arguments are as above."""
    kind, either = _options(dtype, at_kinks)
    inputs, targets = _rounded(x, "x", kind), _rounded(y, "y", kind)
    weights, biases = (tuple(_rounded(each, name, kind) for each in given) for given, name in ((w, "w"), (b, "b")))
    network = Network((*inputs.shape[1:], *(each.size for each in biases)), activation, loss)
    case = NetworkCase(network, inputs, targets, weights, biases)
    _report(fn, judged(fn, case, kind, either), kind, _SMALLEST)


def _rounded(given: Any, name: str, dtype: np.dtype[Any]) -> Array:
    """Return an array_like as float64 numbers that are exact in a float type."""
    return read_array(given, name).astype(dtype).astype(np.float64)


def _options(dtype: Any, at_kinks: str) -> tuple[np.dtype[Any], bool]:
    return np.dtype(one_of(dtype_name(dtype), "dtype", _TYPES)), one_of(at_kinks, "at_kinks", _KINKS) == "either"


def _check(fn: Implementation, build: _Build[_C], cases: int, dtype: Any, at_kinks: str) -> None:
    number = read_count(cases, "cases", _MOST_CASES)
    if not callable(fn):
        raise InvalidArgument("fn", fn, "must be a function of x, y, w and b")
    kind, either = _options(dtype, at_kinks)

    decided = 0

    def judge(case: _C) -> Failure | None:
        nonlocal decided
        try:
            failure = judged(fn, case, kind, either)
        except Undecided:  # such a case says nothing
            return None
        decided += 1
        return failure

    try:
        from gradtheory.testing.shrinking import can_shrink, smallest
    except ImportError:  # there is no hypothesis
        generated = False
    else:
        generated = can_shrink()
    if generated and (found := smallest(judge, build, number, kind)):
        _report(fn, found, kind, _SMALLEST)
    fixed = fixed_cases(build, _ALWAYS if generated else number)
    failure = _first(judge, fixed)
    if generated and failure is not None:
        turn = next(turn for turn, case in enumerate(fixed) if case is failure.case)
        failure = smallest(judge, build, number, kind, turn) or failure
    _report(fn, failure, kind, _SMALLEST if generated else "failing case (with hypothesis it is made smaller)")
    if not decided:
        raise Undecided("the exact gradients are not proven in any case, so nothing was checked")


def _first(judge: Callable[[_C], Failure | None], cases: Sequence[_C]) -> Failure | None:
    by_size = sorted(cases, key=lambda case: (case[0].depth, case.x.size))
    return next((failure for failure in map(judge, by_size) if failure is not None), None)


def _report(fn: Implementation, failure: Failure | None, dtype: np.dtype[Any], found: str) -> None:
    if failure is None:
        return
    name = getattr(fn, "__name__", "fn")
    raise AssertionError(message(failure, name, dtype, found)) from failure.cause
