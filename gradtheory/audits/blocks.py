"""The parts of a network between places that every path passes, with their gains, spreads and residual connections."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.chance import spread_of_gain, spread_of_scale
from gradtheory.audits.layers import MADE_ALIKE, NAN, AuditedBlock, AuditedLayer
from gradtheory.networks import Elementwise, LayerNorm, Node, Scale, Sum
from gradtheory.networks.nodes import INPUT, Dense
from gradtheory.networks.passes import Backward, Forward
from gradtheory.training.norms import norm as scaled_norms

_LEAST = 1e-150  # above it squares do not underflow


def blocks_of(
    nodes: Sequence[Node], dense: Sequence[int], layers: Sequence[AuditedLayer], passed: Forward, back: Backward
) -> list[AuditedBlock]:
    """Return the parts between places that every path passes, each with a dense layer or more."""
    last = max(place for place, flow in enumerate(back.by_output) if flow is not None)
    cuts = _cuts(nodes[: last + 1])
    blocks: list[AuditedBlock] = []
    normed: dict[int, float] = {}  # shortcuts behind a norm, by block
    start = INPUT
    for cut in cuts:
        within = [number for number, place in enumerate(dense) if start < place <= cut]
        follower = nodes[cut + 1].operation if cut < last else None
        is_normed = isinstance(follower, LayerNorm) and isinstance(nodes[cut].operation, Dense) and cut + 1 in cuts
        if not within or is_normed or isinstance(follower, Elementwise):
            continue
        before = back.by_x if start == INPUT else back.at(start, passed)
        gain = ratio(norm(before), norm(back.at(cut, passed)))
        spreads = [_normed_spread(nodes, dense[number], layers[number], passed) for number in within]
        spread = math.sqrt(sum(each**2 for each in spreads if each > 0.0))
        name = _common([nodes[dense[number]].name for number in within])
        kind = " ".join(repr(node.operation).partition("(")[0] for node in nodes[start + 1 : cut + 1])
        activations = " ".join(layers[number].kind.partition(",")[2] for number in within)
        if isinstance(nodes[start + 1].operation, LayerNorm) and math.isnan(_shortcut(nodes, start, cut)):
            normed[len(blocks)] = _shortcut(nodes, start + 1, cut)
        is_plain = all(isinstance(node.operation, Dense | Elementwise) for node in nodes[start + 1 : cut + 1])
        expected = layers[within[0]].predicted_gain if is_plain and len(within) == 1 else NAN
        shortcut = _shortcut(nodes, start, cut)
        norms = [place for place in cuts if start < place <= cut and isinstance(nodes[place].operation, LayerNorm)]
        passing = math.prod(_lets_pass(nodes, place, passed, back) for place in norms)
        least = math.hypot(*(spread_of_gain(1.0, n_out, n_in) for n_in, n_out in (layers[k].fans for k in within)))
        blocks.append(
            AuditedBlock(
                name, gain, spread, tuple(within), kind + activations, shortcut, expected, least, lets_pass=passing
            )
        )
        start = cut
    first = min(normed, default=0) - 1
    if first >= 0 and len(normed) >= MADE_ALIKE:  # its sum is normed, too, though it begins behind no norm
        normed[first] = blocks[first].shortcut
    known = [factor for factor in normed.values() if factor]  # nan is
    usual = float(np.nanmedian(known)) if np.isfinite(known).sum() >= MADE_ALIKE else NAN
    return [replace(block, shortcut=normed[k] / usual) if k in normed else block for k, block in enumerate(blocks)]


def _normed_spread(nodes: Sequence[Node], place: int, layer: AuditedLayer, passed: Forward) -> float:
    """Return the spread of a layer's gain, with that of the norm that alone takes its output, if one does.

    The norm divides by √(|z|²/n), |z|² about χ²_n, and the slopes are those of the activation after it.
    """
    takers = [number for number, node in enumerate(nodes) if place in node.sources]
    if len(takers) != 1 or not isinstance(nodes[takers[0]].operation, LayerNorm):
        return layer.spread
    n_in, n_out = layer.fans
    slopes = [
        passed.kept[number][1]
        for number, node in enumerate(nodes)
        if node.sources == (takers[0],) and isinstance(node.operation, Elementwise)
    ]
    fourth = kurtosis(slopes[0]) if slopes else 1.0
    return math.hypot(spread_of_gain(fourth, n_out, n_in), spread_of_scale(n_out)) if fourth > 0.0 else NAN


def _lets_pass(nodes: Sequence[Node], place: int, passed: Forward, back: Backward) -> float:
    """Return which share of the gradient a norm lets pass, beside that of a random one: none along what it gives."""
    operation, (_, root) = nodes[place].operation, passed.kept[place]
    assert isinstance(operation, LayerNorm)  # noqa: S101  # `blocks_of` chose it
    by_output = back.at(place, passed)
    by_u = (by_output if operation.gain is None else by_output * operation.gain) / root
    usual = 1.0 - (1.0 + operation.is_centred) / by_u.shape[-1]
    share = ratio(norm(operation.back(passed.kept[place], by_output)[0]), norm(by_u) * math.sqrt(max(0.0, usual)))
    return min(1.0, share) if share > 0.0 else 1.0


def _shortcut(nodes: Sequence[Node], start: int, end: int) -> float:
    """Return the factor on the way from one place to another that holds nothing but sums and factors."""
    factors = {start: 1.0}
    for place in range(start + 1, end + 1):
        operation, known = nodes[place].operation, [factors[each] for each in nodes[place].sources if each in factors]
        if isinstance(operation, Sum) and known:
            factors[place] = max(known, key=abs)
        elif isinstance(operation, Scale) and operation.factor.ndim == 0 and known:
            factors[place] = known[0] * float(operation.factor)
    return factors.get(end, NAN)


def _cuts(nodes: Sequence[Node]) -> list[int]:
    """Return the places that everything after them goes through."""
    cuts, earliest = [], len(nodes)  # of the sources of the nodes after a place
    for place in range(len(nodes) - 1, -1, -1):
        if earliest >= place:
            cuts.append(place)
        earliest = min(earliest, *nodes[place].sources)
    return cuts[::-1]


def _common(names: Sequence[str]) -> str:
    """Return the name of the module that holds these layers."""
    if len(names) == 1:
        return names[0]
    parts = zip(*(name.split(".") for name in names), strict=False)
    shared = itertools.takewhile(lambda part: len(set(part)) == 1, parts)
    return ".".join(part[0] for part in shared) or names[0]


def norm(array: Array) -> float:
    """Return the Euclidean norm, where squares leave float64, too."""
    return float(norms(array))


def norms(array: Array, axis: int | None = None) -> Array:
    """Return Euclidean norms over an axis, or of all."""
    with np.errstate(all="ignore"):
        usual = np.asarray(np.linalg.norm(array, axis=axis))
    if np.all((usual > _LEAST) & (usual < np.inf)):
        return usual
    return scaled_norms(array, axis).squeeze(axis)  # which takes longer


def ratio(part: float, whole: float) -> float:
    """Return a quotient; nan where the whole is 0."""
    return part / whole if whole > 0.0 else NAN


def kurtosis(slopes: Array) -> float:
    """Return that of slopes about 0; nan where all are 0."""
    squares = np.square(slopes / (float(np.max(np.abs(slopes), initial=0.0)) or 1.0))
    return float(np.mean(squares * squares) / np.mean(squares) ** 2) if np.any(squares) else NAN
