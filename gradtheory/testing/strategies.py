"""hypothesis strategies for chains, networks and what they are made of; they shrink to few layers and simple numbers.

These names and their arguments are stable; what they draw may change. They need hypothesis:
``pip install "gradtheory[testing]"``.

>>> from hypothesis import given, settings
>>> @settings(max_examples=5, database=None)
... @given(chains(activation="tanh"))
... def test_gradients_are_finite(case):
...     assert np.isfinite(case.chain.backprop(*case[1:]).w).all()
>>> test_gradients_are_finite()

"""

from __future__ import annotations  # they name hypothesis, which may be missing

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from gradtheory.activations import Activation, activation_names
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import Array
from gradtheory.arithmetic.kinds import read_items
from gradtheory.chains.losses import LOSSES
from gradtheory.errors import extra, public
from gradtheory.random_weights.floats import FLOAT_TYPES, FloatType, read_float_type
from gradtheory.testing.cases import (
    ChainCase,
    NetworkCase,
    Source,
    chain_case,
    near_critical,
    network_case,
    read_records,
)
from gradtheory.typing import ActivationLike

if TYPE_CHECKING:
    from hypothesis import strategies as st
else:

    class _Strategies:
        """The strategies of hypothesis, imported on first use, so that `help` works without them."""

        def __getattr__(self, name: str) -> Any:
            with extra("testing"):
                from hypothesis import strategies
            return getattr(strategies, name)

    st = _Strategies()

__all__ = ["activations", "chains", "data", "networks", "thresholds", "weights"]


public(__name__)


_T = TypeVar("_T")


@functools.lru_cache(maxsize=256)  # hypothesis examines each strategy anew, which takes longer than to draw from it
def _one_of(options: tuple[_T, ...], kind: str) -> st.SearchStrategy[_T]:
    """Return a strategy for one of several options; their kind tells (1, 0) from (True, False)."""
    return st.sampled_from(options)


@dataclass(frozen=True)
class _Drawn:
    """Choices that hypothesis makes, and shrinks."""

    draw: Callable[[st.SearchStrategy[Any]], Any]
    width: Any = 64
    turn: int | None = None  # of a case in the fixed list, where only such cases are wanted

    def integer(self, least: int, most: int) -> int:
        return int(self.draw(st.integers(least, most)))

    def choice(self, options: Sequence[_T]) -> _T:
        return self.draw(_one_of(tuple(options), type(options[0]).__name__))  # type: ignore[no-any-return]  # draw is untyped

    def in_turn(self, options: Sequence[_T], every: int = 1) -> _T:
        return self.choice(options) if self.turn is None else options[self.turn // every % len(options)]

    def real(self, least: float, most: float) -> float:
        return float(self.draw(st.floats(least, most, width=self.width, allow_subnormal=False)))


def strategy_of(
    build: Callable[[Source], _T], dtype: npt.DTypeLike | FloatType = np.float64, turn: int | None = None
) -> st.SearchStrategy[_T]:
    """Return a strategy for what is built from choices."""
    width = 8 * read_float_type(dtype, FLOAT_TYPES).storage.itemsize

    @st.composite
    def strategy(draw: Callable[[st.SearchStrategy[Any]], Any]) -> _T:
        return build(_Drawn(draw, width, turn))

    return strategy()


def activations(names: Sequence[str] | None = None) -> st.SearchStrategy[Activation]:
    """Return a strategy for activations of the catalogue; it shrinks to the sigmoid.

    Parameters
    ----------
    names : sequence of str, optional
        Which; it then shrinks to the first of them.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(activations(), lambda activation: activation.steepest_slope == 1).name
    'arctan'

    """
    if names is None:
        names = ["sigmoid", *(each for each in activation_names() if each != "sigmoid")]
    return st.sampled_from([as_activation(each) for each in read_items(names, "names", "must be names")])


def thresholds() -> st.SearchStrategy[float]:
    """Return a strategy for thresholds c: positive numbers, above all 1 and others near it."""
    return st.one_of(st.sampled_from([1.0, 2.0, 0.5]), st.floats(1e-3, 1e3))


def weights(activation: ActivationLike = "sigmoid") -> st.SearchStrategy[float]:
    """Return a strategy for weights: simple ones, any in [-10, 10], and some next to the critical weight 1/sup|σ'|.

    Examples
    --------
    >>> from hypothesis import find
    >>> find(weights("sigmoid"), lambda w: abs(w) > 4)
    5.0

    """
    record = as_activation(activation)
    simple = st.sampled_from([1.0, -1.0, 0.0, 2.0, -2.0, 0.5, 5.0, -5.0])
    return st.one_of(simple, st.floats(-10, 10), strategy_of(lambda source: near_critical(source, record)))


def data(size: int | None = None) -> st.SearchStrategy[Array]:
    """Return a strategy for inputs or targets, an array of shape (size,) of numbers in [-4, 4].

    Parameters
    ----------
    size : int, optional
        How many; 1 to 8 unless given.

    """
    numbers = st.one_of(st.sampled_from([0.0, 1.0, -1.0, 0.5]), st.floats(-4, 4))
    least, most = (1, 8) if size is None else (size, size)
    return st.lists(numbers, min_size=least, max_size=most).map(np.array)


def chains(
    activation: ActivationLike | Sequence[ActivationLike] | st.SearchStrategy[Activation] | None = None,
    *,
    depth: int | None = None,
    loss: str = "squared",
    dtype: npt.DTypeLike = np.float64,
) -> st.SearchStrategy[ChainCase]:
    """Return a strategy for chains with data: a named tuple of chain, x, y, w and b.

    Kinks that are hit exactly, saturated layers and weights next to the critical one are among them; activations stay
    so small that gradients do not overflow.

    Parameters
    ----------
    activation : str, sympy.Expr, Activation, sequence of these or strategy, optional
        One for all layers, or a sequence of one a layer; any of the catalogue that fits the loss unless given.
    depth : int, optional
        Unless given, as many as there are activations in a sequence, or 1 to 6.
    loss : {"squared", "cross_entropy"}
        As for `gradtheory.Chain`.
    dtype : {"float64", "float32", "bfloat16", "float16"} or NumPy dtype
        All numbers are exact in this float type.

    Examples
    --------
    >>> from hypothesis import find
    >>> case = find(chains("tanh"), lambda case: case.chain.depth > 1)
    >>> case.w, case.b, case.x
    (array([1., 1.]), array([1., 1.]), array([1.]))

    """

    def of(records: Activation | tuple[Activation, ...]) -> st.SearchStrategy[ChainCase]:
        return strategy_of(lambda source: chain_case(source, records, depth, loss, dtype), dtype)

    return _activations_for(activation, loss).flatmap(of)


def networks(
    activation: ActivationLike | Sequence[ActivationLike] | st.SearchStrategy[Activation] | None = None,
    *,
    widths: Sequence[int] | None = None,
    loss: str = "squared",
    dtype: npt.DTypeLike = np.float64,
) -> st.SearchStrategy[NetworkCase]:
    """Return a strategy for wide networks with data: a named tuple of network, x, y, w and b.

    Parameters
    ----------
    activation : str, sympy.Expr, Activation, sequence of these or strategy, optional
        One for all layers, or a sequence of one a layer; any of the catalogue that fits the loss unless given.
    widths : sequence of int, optional
        n_0 … n_L; unless given, 1 to 4 neurons in as many layers as there are activations in a sequence, or 1 to 3.
    loss, dtype
        As for `chains`.

    Examples
    --------
    >>> from hypothesis import find
    >>> [each.shape for each in find(networks("tanh", widths=(2, 3, 1)), lambda case: True).w]
    [(3, 2), (1, 3)]

    """

    def of(records: Activation | tuple[Activation, ...]) -> st.SearchStrategy[NetworkCase]:
        return strategy_of(lambda source: network_case(source, records, widths, loss, dtype), dtype)

    return _activations_for(activation, loss).flatmap(of)


def _activations_for(
    activation: ActivationLike | Sequence[ActivationLike] | st.SearchStrategy[Activation] | None, loss: str
) -> st.SearchStrategy[Any]:
    if activation is None:
        is_bounded = loss in LOSSES and LOSSES[loss].needs_unit_interval  # another name is refused when drawn
        return activations().filter(lambda record: record.is_within_unit_interval or not is_bounded)
    return activation if isinstance(activation, st.SearchStrategy) else st.just(read_records(activation))
