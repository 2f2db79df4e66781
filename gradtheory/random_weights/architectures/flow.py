"""What flows through layers of the same blocks: until it settles, how fast it does, and what is critical."""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq

from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.architectures.layers import (
    BatchNorm,
    Block,
    Residual,
    all_blocks,
    has_scale_of_depth,
    passed,
    variances_behind,
)
from gradtheory.random_weights.architectures.signal import Signal, Step
from gradtheory.random_weights.meanfield.variance_growth import Excess, Nodes, zeros

_SETTLED, _FAR = 1e-13, 1e60
_MOST_STEPS = 60
_MOST_TOKEN_STEPS = 300
_OF_ROOTS = 8.0  # more than what is left, over the last step, where the map has √(1 - c) in it: 6.2
_NUDGE, _DIFFERENCE_NOISE = 1e-5, 5e-10  # of a correlation, and of slopes by differences
_NOISE = 1e-12  # of the logarithm of a factor
_NO_GRADIENT = 1e-300  # a factor, as behind a step
_ULP, _BESIDE, _ZERO = 1e-15, 1e-14, 1e-6  # beside a zero a logarithm is small, however steep it is as a root
_GRID = 24
_NODE, _AT_ONCE, _BEHIND = math.log(10.0) / 10.0, 32, 2  # between nodes of log q, and how many are looked at
_CLOSE = 1e-10  # of correlations and slopes to 1


class _Pair(NamedTuple):
    correlation: float
    slope: float
    error: float


def first_signal(blocks: Sequence[Block], q: float, c: float | None) -> Signal:
    """Return the signal at the input; batch norms and attention ask for the covariance of independent inputs."""
    if c is not None:
        return Signal(q, q * c)
    return Signal(q, 0.0) if _has_batch_norm(blocks) or tokens_in(blocks) else Signal(q)


def steps(blocks: Sequence[Block], signal: Signal, depth: int) -> Iterator[Step]:
    """Yield what each layer does, as long as the variance is a float: always the same once the signal settles."""
    settled = None
    for _ in range(depth):
        step = settled or passed(blocks, signal, depth)
        if not 1.0 / _FAR < step.signal.variance < _FAR:
            return
        settled = step if _is_same(step.signal, signal) else None
        signal = step.signal
        yield step


def log_gradients(blocks: Sequence[Block], depths: Sequence[int]) -> list[float]:
    """Return the logarithm of the gradient's mean square at the input for these depths, as far as floats reach."""
    changes = has_scale_of_depth(blocks)
    logs = []
    for depth in depths if changes else depths[-1:]:
        sums = _sums(steps(blocks, first_signal(blocks, 1.0, None), depth))
        logs += [sums[each - 1] for each in ([depth] if changes else depths) if each <= len(sums)]
        if len(sums) < depth:
            break
    return logs


def _sums(layers: Iterator[Step]) -> list[float]:
    """Return the logarithm of what the gradient's mean square is multiplied by, after 1, 2, … layers."""
    row, log = np.array([1.0, 0.0]), 0.0
    sums: list[float] = []
    for step in layers:
        row = row @ step.backward
        if not row[0]:
            raise Undecided(f"there is no law of growth: the gradient falls to 0 in layer {len(sums) + 1}")
        log += math.log(row[0])
        row = row / row[0]
        sums.append(log)
    return sums


def gradients_back(layers: Sequence[Step]) -> tuple[Array, Array]:
    """Return the gradient's mean square in front of each layer, and 1 behind the last; and its logarithm."""
    pair, power = np.array([1.0, 0.0]), 0  # times 2^power
    parts, powers = [1.0], [0]
    for step in reversed(layers):
        pair = step.backward @ pair
        shift = int(np.frexp(np.abs(pair).max())[1])
        pair, power = np.ldexp(pair, -shift), power + shift
        parts.append(float(pair[0]))
        powers.append(power)
    squares, exponents = np.array(parts[::-1]), np.array(powers[::-1])
    with np.errstate(all="ignore"):
        return np.ldexp(squares, exponents), np.log(squares) + exponents * math.log(2.0)


def correlation_scale(blocks: Sequence[Block]) -> Estimate:
    """Return ξ of correlations, at the fixed point which those of different inputs approach.

    Where the variance grows or fades without end it is that of a very large or small one.
    """
    _refuse_scales_of_depth(blocks, "depth scale")
    signal, is_fixed = _settled(blocks)
    if tokens_in(blocks):
        return _token_scale(blocks, signal, is_fixed)
    if not _has_batch_norm(blocks):
        at_one = _pair(blocks, signal, 1.0)
        if abs(at_one.correlation - 1.0) <= _CLOSE and at_one.slope <= 1.0 + _CLOSE:
            return _scale(at_one)

    def excess(c: float) -> float:
        return _pair(blocks, signal, c).correlation - c

    c, nearest = 0.0, 1.0 - 1e-9
    if excess(0.0) > _CLOSE:
        if excess(nearest) >= 0.0:
            raise Undecided("two inputs settle closer to each other than 1e-9, where their correlation is not resolved")
        c = float(brentq(excess, 0.0, nearest, xtol=1e-13))
    return _scale(_pair(blocks, signal, c))


def critical_value(blocks: Sequence[Block], name: str, least: float, most: float) -> Estimate:
    """Return the value of a parameter, between two others, with which the factor per layer is 1.

    Raises
    ------
    Undecided
        If it is on one side of 1 at all values that are tried, or jumps from one side to the other.

    """
    if name != "scale":
        _refuse_scales_of_depth(blocks, "critical value")

    def excess(log_value: float) -> float:
        varied = tuple(_varied(block, name, math.exp(log_value)) for block in blocks)
        return math.log(max(passed(varied, _settled(varied)[0], 1).factor, _NO_GRADIENT))

    def tried(log_value: float) -> float:
        try:
            return excess(log_value)
        except Undecided:
            return math.nan

    def is_zero(log_value: float) -> bool:
        beside = (excess(log_value + side * _BESIDE) for side in (-1.0, 1.0))
        return all(abs(each) <= _ZERO for each in beside)

    grid = np.linspace(math.log(least), math.log(most), _GRID)
    values = np.array([tried(each) for each in grid])
    known = values[np.isfinite(values)]
    if not known.size:
        excess(grid[0])  # says why
    crossing = np.flatnonzero(values[:-1] * values[1:] < 0.0)
    zero = np.flatnonzero(np.abs(values) <= _NOISE)
    if len(zero) == 1:
        roots = [float(grid[zero[0]])]
    else:
        roots = [float(brentq(excess, grid[each], grid[each + 1], xtol=_ULP, maxiter=1000)) for each in crossing[::-1]]
    root = next(filter(is_zero, roots), None)
    if root is None:
        where = f"{name} from {least:g} to {most:g}{'' if known.size == _GRID else ', the others undecided'}"
        if roots:
            jump = f"jumps over 1 at {name} = {math.exp(roots[0]):.6g}: the variance settles elsewhere on either side"
            raise Undecided(f"the factor per layer {jump}, and is 1 nowhere else among {known.size} values of {where}")
        side = f"1 at {len(zero)}" if len(zero) else f"{'above' if known[0] > 0.0 else 'below'} 1 at all"
        raise Undecided(f"the factor per layer is {side} of {known.size} values of {where}")
    error = _NOISE
    while error < 1.0 and min(abs(excess(root - error)), abs(excess(root + error))) <= _NOISE:
        error *= 4.0  # where the factor leaves 1 slowly, many values are as good
    return Estimate(math.exp(root), math.exp(root) * 2.0 * error)


def _refuse_scales_of_depth(blocks: Sequence[Block], what: str) -> None:
    if has_scale_of_depth(blocks):
        why = "their scales are others at each depth: give those of one depth, as numbers"
        raise InvalidArgument("blocks", blocks, f"have no {what}, as {why}")


def _has_batch_norm(blocks: Sequence[Block]) -> bool:
    return any(isinstance(block, BatchNorm) for block in all_blocks(blocks))


def tokens_in(blocks: Sequence[Block]) -> int:
    """Return how many tokens attention mixes; 0 where there is none."""
    return max((block.mixes for block in all_blocks(blocks)), default=0)


def _token_scale(blocks: Sequence[Block], signal: Signal, is_fixed: bool) -> Estimate:
    """Return ξ of the correlation of two tokens, where variance and correlation settle together."""
    if not is_fixed:
        raise Undecided("the stream of tokens does not settle: put a norm after it, or take smaller scales")
    c, widths = signal.correlation, (4.0 * _NUDGE, 2.0 * _NUDGE, _NUDGE)
    inside = c + widths[0] < 1.0
    slopes = []
    for h in widths:
        low, high = c - h, c + h if inside else c
        after = [_pair(blocks, signal, each).correlation for each in (low, high)]
        slopes.append((after[1] - after[0]) / (high - low))
    ratio = 4.0 if inside else 2.0  # Richardson's: differences on one side have all powers of h, others even ones
    better = [(ratio * fine - coarse) / (ratio - 1.0) for coarse, fine in itertools.pairwise(slopes)]
    slope = (ratio**2 * better[1] - better[0]) / (ratio**2 - 1.0)
    error = _OF_ROOTS * abs(slope - better[1]) + _DIFFERENCE_NOISE
    return _scale(_Pair(c, slope, error))


def _settled(blocks: Sequence[Block]) -> tuple[Signal, bool]:
    """Return where the variance settles, and whether that is a fixed point: else it is a very far one, or 0."""
    signal = first_signal(blocks, 1.0, None)
    tokens = tokens_in(blocks)
    for _ in range(_MOST_TOKEN_STEPS if tokens else _MOST_STEPS):
        after = passed(blocks, signal, 1).signal
        if _is_same(after, signal):
            return after, True
        if not 1.0 / _FAR < after.variance < _FAR:
            return signal, False
        signal = after
    return (signal, False) if tokens else _sought(blocks, signal)


def _sought(blocks: Sequence[Block], signal: Signal) -> tuple[Signal, bool]:
    """Return the first fixed point in the direction in which the variance moves, where it moves slowly."""

    def excess(_: np.ndarray, log_q: Array) -> Excess:
        return Excess.of(log_q, *variances_behind(blocks, np.exp(log_q)))

    start = math.log(signal.variance)
    side = 1.0 if excess(np.zeros(1), np.array([start])).height[0] > 0.0 else -1.0
    last = math.ceil((math.log(_FAR) - side * start) / _NODE)
    for node in range(0, last, _AT_ONCE):
        places = np.sort(start + side * _NODE * np.arange(node - _BEHIND, min(node + _AT_ONCE, last) + 1))
        owner = np.zeros(len(places), dtype=int)
        settled = zeros(excess, Nodes(owner, places, excess(owner, places)))
        ahead = side * (settled.log_q - start)
        ahead = ahead[ahead >= -settled.error]
        if len(ahead):
            variance = math.exp(start + side * ahead.min())
            if variances_behind(blocks, np.array([variance])).growth[0] < -1.0:
                raise Undecided("the variance does not settle: it goes back and forth from layer to layer")
            return signal._replace(variance=variance), True
    return signal._replace(variance=math.exp(start + side * _NODE * last)), False


def _pair(blocks: Sequence[Block], signal: Signal, c: float) -> _Pair:
    """Return the correlation after a layer from c before it, and its slope there."""
    step = passed(blocks, Signal(signal.variance, c * signal.variance), 1)
    if not step.signal.variance:
        raise Undecided("the variance falls to 0 within a few layers, where there are no correlations: take a bias")
    return _Pair(step.signal.correlation, step.slope * signal.variance / step.signal.variance, step.error)


def _is_same(after: Signal, before: Signal) -> bool:
    """Return whether two signals agree up to rounding; nan is what nobody asked for."""
    return all(
        abs(new - old) <= _SETTLED * before.variance or math.isnan(new) for new, old in zip(after, before, strict=True)
    )


def _scale(pair: _Pair) -> Estimate:
    """Return -1/log(slope)."""
    if pair.slope <= pair.error:
        most = max(pair.slope, 0.0) + pair.error
        return Estimate(0.0, 0.0 if not most else -1.0 / math.log(most) if most < 1.0 else math.inf)
    if pair.slope >= 1.0 - _CLOSE:
        return Estimate(math.inf, 0.0)
    scale = -1.0 / math.log(pair.slope)
    return Estimate(scale, scale * scale * (pair.error + 1e-12) / pair.slope)


def _varied(block: Block, name: str, value: float) -> Block:
    if isinstance(block, Residual):
        block = replace(block, blocks=tuple(_varied(each, name, value) for each in block.blocks))
    if hasattr(block, name) and is_dataclass(block):
        return replace(block, **{name: value})
    return block
