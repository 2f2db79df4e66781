"""Chains and networks to try a gradient on: small and huge numbers, kinks hit exactly, saturation, explosion.

A case is built from a `Source` of choices. hypothesis is one, which shrinks what it has chosen; NumPy's generator is
another, for a fixed list of cases that needs no hypothesis.
"""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.numeric import steepest_place
from gradtheory.arithmetic.inputs import Array
from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import LOSSES
from gradtheory.errors import InvalidArgument
from gradtheory.networks.network import Network
from gradtheory.random_weights.floats import FLOAT_TYPES, FloatType, read_float_type
from gradtheory.testing.places import kinks, steepest
from gradtheory.typing import ActivationLike

_T = TypeVar("_T")
_SIMPLE = (1.0, -1.0, 0.5, 2.0, -2.0, 0.0, -0.5, 3.0, -1.5, 0.25, 8.0)
_SHORT = (0.5, 1.0, -0.5, 0.25, -2.0)  # powers of two, by which a kink is hit exactly
_SATURATING = (30.0, -30.0, 100.0, -100.0, 800.0, -800.0)  # exp overflows beyond 88 in float32, 709 in float64
_FACTORS = (4.0, 2.0, 8.0)  # of a layer in a case whose gradients explode
_HUGE = 24  # 2^24 of targets or inputs: gradients beyond 1e6, where some clip; less in a float type of less range
_KINDS = ("plain", "kink", "saturated", "critical", "exploding", "huge")
_DEEPEST, _BATCHES, _WIDEST, _MOST_LAYERS = 6, (1, 2, 3, 4, 17), 4, 3
_LARGEST_VALUE = {"float16": 8.0, "bfloat16": 1e2, "float32": 1e2, "float64": 1e6}  # else gradients may overflow
_REAL = 4.0


class ChainCase(NamedTuple):
    """A chain with data; `gradtheory.train(*case, …)` and `case.chain.backprop(*case[1:])` take it as it is.

    Attributes
    ----------
    chain : Chain
    x, y : ndarray of shape (batch,)
    w, b : ndarray of shape (L,)

    """

    chain: Chain
    x: Array
    y: Array
    w: Array
    b: Array


class NetworkCase(NamedTuple):
    """A network with data, as `Network.backprop` takes it.

    Attributes
    ----------
    network : Network
    x, y : ndarray of shapes (batch, n_0) and (batch, n_L)
    w, b : tuple of ndarray, of shapes (n_l, n_{l-1}) and (n_l,)

    """

    network: Network
    x: Array
    y: Array
    w: tuple[Array, ...]
    b: tuple[Array, ...]


class Source(Protocol):
    """Where choices come from."""

    def integer(self, least: int, most: int) -> int:
        """Return an integer between two, both included."""

    def choice(self, options: Sequence[_T]) -> _T:
        """Return one of several."""

    def in_turn(self, options: Sequence[_T], every: int = 1) -> _T:
        """Return one of several: in a fixed list of cases they take turns, moving on after `every` cases."""

    def real(self, least: float, most: float) -> float:
        """Return a number between two."""


@dataclass(frozen=True)
class Generated:
    """Choices of NumPy's generator, for one case of a fixed list."""

    rng: np.random.Generator
    turn: int = 0

    def integer(self, least: int, most: int) -> int:
        """Return an integer between two, both included."""
        return int(self.rng.integers(least, most, endpoint=True))

    def choice(self, options: Sequence[_T]) -> _T:
        """Return one of several."""
        return options[self.integer(0, len(options) - 1)]

    def in_turn(self, options: Sequence[_T], every: int = 1) -> _T:
        """Return the option whose turn it is."""
        return options[self.turn // every % len(options)]

    def real(self, least: float, most: float) -> float:
        """Return a number between two."""
        return float(self.rng.uniform(least, most))


def read_records(activation: ActivationLike | Sequence[ActivationLike]) -> Activation | tuple[Activation, ...]:
    """Return the record of one activation for all layers, or those of a sequence, one a layer.

    Examples
    --------
    >>> read_records("tanh").name, [record.name for record in read_records(["relu", "identity"])]
    ('tanh', ['relu', 'identity'])

    """
    if isinstance(activation, str) or not isinstance(activation, Sequence):
        return as_activation(activation)
    if not activation:
        rule = "must be one activation, or a sequence of one a layer, such as ['relu', 'identity']"
        raise InvalidArgument("activation", activation, rule)
    return tuple(map(as_activation, activation))


def layers_in(records: Activation | tuple[Activation, ...]) -> int | None:
    """Return how many layers a sequence of activations is for; None where one is for any number."""
    return len(records) if isinstance(records, tuple) else None


def fixed_cases(build: Callable[[Source], _T], number: int) -> list[_T]:
    """Return the same cases at every call."""
    return [build(Generated(np.random.default_rng(seed), seed)) for seed in range(number)]


def near_critical(source: Source, record: Activation) -> float:
    """Return a weight within some units in the last place, or some per cent, of 1/sup|σ'|, of either sign."""
    greatest = steepest(record)
    critical = 1.0 / greatest if 0.0 < greatest < np.inf else 1.0
    ulps = source.choice((0, 1, -1, 2, -2, 1 << 40, -(1 << 40), 1 << 49))
    return source.choice((1.0, -1.0)) * critical * (1.0 + ulps * 2.0**-52)


def chain_case(
    source: Source,
    activation: ActivationLike | Sequence[ActivationLike],
    depth: int | None = None,
    loss: str = "squared",
    dtype: npt.DTypeLike | FloatType = np.float64,
) -> ChainCase:
    """Return a chain of some depth, with data whose numbers are exact in the float type."""
    records = read_records(activation)
    depth = layers_in(records) if depth is None else depth
    chain = Chain(source.integer(1, _DEEPEST) if depth is None else depth, records, loss)
    network = Network((1,) * (chain.depth + 1), chain.layer_activations, loss)
    _, x, y, w, b = _fill(source, network, read_float_type(dtype, FLOAT_TYPES))
    return ChainCase(chain, x[:, 0], y[:, 0], np.ravel(w), np.ravel(b))


def network_case(
    source: Source,
    activation: ActivationLike | Sequence[ActivationLike],
    widths: Sequence[int] | None = None,
    loss: str = "squared",
    dtype: npt.DTypeLike | FloatType = np.float64,
) -> NetworkCase:
    """Return a network of some widths, with data whose numbers are exact in the float type."""
    records = read_records(activation)
    if widths is None:
        depth = layers_in(records) or source.integer(1, _MOST_LAYERS)
        widths = [source.integer(1, _WIDEST) for _ in range(depth + 1)]
    return _fill(source, Network(tuple(widths), records, loss), read_float_type(dtype, FLOAT_TYPES))


def _fill(source: Source, network: Network, dtype: FloatType) -> NetworkCase:
    kind = source.in_turn(_KINDS)
    records = network.layer_activations
    samples = source.choice(_BATCHES)

    def numbers(*shape: int, record: Activation | None = None) -> Array:
        near = record if kind == "critical" else None
        return np.array([_number(source, near) for _ in range(int(np.prod(shape)))]).reshape(shape)

    layers = zip(network.widths[1:], network.widths[:-1], records, strict=True)
    w = [numbers(after, before, record=record) for after, before, record in layers]
    b = [numbers(width) for width in network.widths[1:]]
    x = numbers(samples, network.widths[0])
    y = _targets(source, (samples, network.widths[-1]), LOSSES[network.loss].needs_unit_interval)
    if kind == "kink" and (places := kinks(records[0])):
        # Every sample meets a kink in the first neuron, by exact arithmetic; of the first, what follows is not flat.
        x, y = (_choices(source, _SHORT, each.shape) for each in (x, y))
        w, b = ([_choices(source, _SHORT, each.shape) for each in arrays] for arrays in (w, b))
        z = np.array([source.in_turn(places, every=len(_KINDS)), *(source.choice(places) for _ in x[1:])])
        x[:, 0] = (z - x[:, 1:] @ w[0][0, 1:] - b[0][0]) / w[0][0, 0]
        a = records[0].value(w[0] @ x[0] + b[0])
        for layer, record in enumerate(records[1:], start=1):
            b[layer] = _towards(_steepest(record)[0], w[layer] @ a)
            a = record.value(w[layer] @ a + b[layer])
    if kind == "saturated":
        layer = source.integer(0, network.depth - 1)
        b[layer][source.integer(0, len(b[layer]) - 1)] = source.in_turn(_saturating(dtype), every=len(_KINDS))
    if kind == "exploding":
        a = x[0]
        for layer, record in enumerate(records):
            place, slope = _steepest(record)
            signs = _choices(source, (1.0, -1.0), w[layer].shape)
            w[layer] = signs * source.choice(_FACTORS) / slope
            b[layer] = _towards(place, w[layer] @ a)  # the first sample is where σ is steepest
            a = record.value(w[layer] @ a + b[layer])
    if kind == "huge":
        huge = 2.0 ** min(_HUGE, dtype.largest // 3)
        if LOSSES[network.loss].needs_unit_interval:  # then a target is no more than 1, but δ·x is as large as x
            x, w[0] = x * huge, w[0] / huge
        else:
            y += huge * _choices(source, (1.0, -1.0), y.shape)
    x, y, *parameters = (dtype.rounded(each) for each in (x, y, *w, *b))
    w, b = _moderate(records, x, parameters[: network.depth], parameters[network.depth :], dtype)
    return NetworkCase(network, x, y, tuple(w), tuple(b))


def _towards(place: float, sums: Array) -> Array:
    """Return short biases that bring a layer near a place."""
    return np.rint(1024.0 * (place - sums)) / 1024.0


@functools.lru_cache(maxsize=256)
def _steepest(record: Activation) -> tuple[float, float]:
    """Return where |σ'| is greatest near 0, the middle of such places, and how great; 1 where it is 0."""
    place, slope = steepest_place(record.slope, np.linspace(-4.0, 4.0, 257))
    return place, slope or 1.0


def _number(source: Source, record: Activation | None) -> float:
    kind = source.choice(("simple", "real") if record is None else ("critical", "simple"))
    if kind == "critical":
        assert record is not None  # noqa: S101  # only then is it among the choices
        return near_critical(source, record)
    return source.choice(_SIMPLE) if kind == "simple" else source.real(-_REAL, _REAL)


def _saturating(dtype: FloatType) -> tuple[float, ...]:
    """Return the biases that saturate, of which the cubes in formulas are finite."""
    return tuple(each for each in _SATURATING if abs(each) ** 3 < dtype.max)


def _choices(source: Source, options: Sequence[float], shape: tuple[int, ...]) -> Array:
    return np.array([source.choice(options) for _ in range(int(np.prod(shape)))]).reshape(shape)


def _targets(source: Source, shape: tuple[int, ...], within_unit: bool) -> Array:
    simple = (0.0, 1.0, 0.5) if within_unit else (0.0, 1.0, -0.5, 10.0)
    least, most = (0.0, 1.0) if within_unit else (-2.0, 2.0)

    def target() -> float:
        return source.choice(simple) if source.choice((True, False)) else source.real(least, most)

    return np.array([target() for _ in range(int(np.prod(shape)))]).reshape(shape)


def _moderate(
    records: Sequence[Activation], x: Array, w: list[Array], b: list[Array], dtype: FloatType
) -> tuple[list[Array], list[Array]]:
    """Return the parameters, halved in layers whose activations would be so large that gradients may overflow."""
    largest = _LARGEST_VALUE[dtype.name]
    a = x
    weights, biases = [], []
    for record, weight, bias in zip(records, w, b, strict=True):
        scale = 1.0
        while scale and not np.abs(value := record.value(scale * (a @ weight.T + bias))).max(initial=0.0) <= largest:
            scale /= 2.0
        weights.append(scale * weight)
        biases.append(scale * bias)
        a = value
    return weights, biases
