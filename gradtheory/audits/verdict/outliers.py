"""Layers that stand out: by their shortcut, their weights, a gain unlike that of peers, or one too great for any layer.

Each rule returns a name, the logarithm of the factor, and the cause in words.
"""

import functools
import math
from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np

from gradtheory.audits.branches import joined
from gradtheory.audits.chance import most_of_one, spread_of_scale
from gradtheory.audits.layers import (
    COMPOSITE,
    DIVIDED,
    NORMED,
    PEERS,
    AuditedBlock,
    AuditedLayer,
    OutOfScale,
    is_pooling,
    module_of,
)
from gradtheory.audits.thresholds import ALONE, MATTERS, STRETCH, WEIGHTS

_NORMED = ("Dense LayerNorm ", "Dense RMSNorm ")  # in the kind of a block
_NORMS = (" LayerNorm", " RMSNorm", NORMED, DIVIDED)  # likewise, behind a layer
_ITS_GAIN = "its gain is "
_SAME = 0.01  # of logarithms
_LARGE_Z = 2.0  # a mean square of pre-activations: initial weights make it about 1


def shortcut(
    blocks: Sequence[AuditedBlock], residual: tuple[str, float, float] | None
) -> tuple[str, float, str] | None:
    """Return the block whose residual connection multiplies by more than √2, or by so much more than others do."""
    for block in reversed(blocks):
        if abs(block.shortcut) > ALONE:
            cause = f"its residual connection multiplies by {block.shortcut:.3g}"
            return block.name, math.log(abs(block.shortcut)), cause
    if residual is None:
        return None
    name, factor, usual = residual
    cause = f"its residual connection multiplies by {factor:.3g}, where {usual:.3g} is usual in this network"
    times = abs(factor / usual)
    return (name, math.log(times), cause) if times > ALONE else None


def out_of_scale(layers: Sequence[AuditedLayer], blocks: Sequence[AuditedBlock] = ()) -> tuple[str, float, str] | None:
    """Return the layer whose weights are out of scale, by the fan-in and by both fans alike, if it matters.

    It does not where a norm takes all that the layer gives, and so divides by that scale; nor in the first layer where
    the data are as small as its weights are large.
    """
    alone = [block for block in blocks if f"{block.kind} ".startswith(_NORMED) and "Sum" not in block.kind]
    normed = {number for block in alone for number in block.layers}
    free = {layers[number].name for number in normed}
    large = [each for each in _large(layers) if each[0].name not in free]
    if not large:
        return None
    layer, size, most = large[0]
    if layer is layers[0]:  # its gain changes no weight's gradient, but what it gives does, if that is large
        matters = layer.mean_square_z > _LARGE_Z
    else:
        matters = layer.gain > MATTERS or layer.saturated > 0.1 or layer.slope_gain < 1.0 / MATTERS
    return (layer.name, size, _of_weights(layer, size, most)) if matters else None


def divided_away(layers: Sequence[AuditedLayer]) -> dict[str, str]:
    """Return the layers whose weights are out of scale, with what is worth knowing of them if the gradient stays."""
    remarks: dict[str, str] = {}
    for layer, size, most in _large(layers):
        steps = {layer.name: layer.gradient_norm / layer.sigma_w / math.sqrt(layer.fans[1]) for layer in layers}
        slow = median(steps.values()) / steps[layer.name] if steps[layer.name] > 0.0 else math.nan
        what = f", and a step of gradient descent changes them {slow:.3g} times less, relative to their size"
        remarks[layer.name] = f"{_of_weights(layer, size, most)}{what if slow > WEIGHTS else ''}"
    return remarks


def _of_weights(layer: AuditedLayer, size: float, most: float) -> str:
    times = f"{math.exp(size):.3g}" + (f"–{math.exp(most):.3g}" if most > size + _SAME else "")
    return f"its weights are {times} times as large as those of other layers (σ_w = {layer.sigma_w:.3g})"


def _large(layers: Sequence[AuditedLayer]) -> list[tuple[AuditedLayer, float, float]]:
    """Return the layers with weights larger than others', and in logarithms by how much at least and at most.

    They are held against one another by the fan-in, and by both fans, from the largest on.
    """
    layers = [layer for layer in layers if layer.name == module_of(layer.name)]  # one that is called again is one
    if len(layers) <= PEERS or not all(layer.sigma_w > 0.0 for layer in layers):
        return []
    by_fan_in = np.log([layer.sigma_w for layer in layers])
    by_both = (
        by_fan_in + np.log([0.5 * (n_in + n_out) / n_in for n_in, n_out in (layer.fans for layer in layers)]) / 2.0
    )
    sizes = np.sort([each - np.median(each) for each in (by_fan_in, by_both)], axis=0)
    size = sizes[0]
    bounds = [math.log(WEIGHTS) + most_of_one(len(layers), spread_of_scale(math.prod(layer.fans))) for layer in layers]
    return [(layers[k], float(size[k]), float(sizes[1, k])) for k in np.argsort(-size) if size[k] > bounds[k]]


def stands_out(blocks: Sequence[AuditedBlock], scales: Mapping[str, OutOfScale]) -> tuple[str, float, str] | None:
    """Return the block whose gain differs most from that of its peers, if by more than chance.

    If there are several, one whose weights are out of scale made the others so.
    """
    kinds = {block.kind for block in blocks[1:]}
    odd = [each for kind in kinds for each in _odd_ones([block for block in blocks[1:] if block.kind == kind])]
    most = max(odd, key=lambda each: (module_of(each[0]) in scales, abs(each[1])), default=None)
    return most if most is None else _lacks_a_norm(most, blocks) or most


def _lacks_a_norm(odd: tuple[str, float, str], blocks: Sequence[AuditedBlock]) -> tuple[str, float, str] | None:
    """Return the block before one that stands out, if it lacks the norm of that kind, and the two make up for it.

    The norm behind divides by what the layer without one gives.
    """
    name, deviation, cause = odd
    place = next(number for number, block in enumerate(blocks) if block.name == name)
    before, kind = blocks[place - 1], blocks[place].kind
    stripped = functools.reduce(lambda rest, norm: rest.replace(norm, ""), _NORMS, kind)
    if place < 2 or not before.gain > 0.0 or stripped == kind or not before.kind.startswith(stripped):
        return None
    size = math.log(before.gain) - (math.log(blocks[place].gain) - deviation)
    if not (-1.5 < size / deviation < -0.5):
        return None
    also = f"and that of {name!r}, whose norm divides by what it gives, {cause.removeprefix(_ITS_GAIN)}"
    return before.name, size, f"it has no norm, as others do: {_ITS_GAIN}{before.gain:.3g}, {also}"


def _odd_ones(peers: Sequence[AuditedBlock]) -> list[tuple[str, float, str]]:
    """Return the blocks of one kind that stand out.

    The first takes data of another scale than others do: with a norm it may, and else it has to differ as much as
    weights out of scale would make it. So may the last that is divided by a norm: behind the mean over positions
    gradients are alike at all of them, and what a trained head sends back is of few directions, and that part of them
    the norm takes away.
    """
    inner = [block for block in peers if block.gain > 0.0 and math.isfinite(block.gain)]
    if len(inner) <= PEERS or len({module_of(block.name) for block in inner}) == 1:  # one module's weights are its own
        return []
    may: Sequence[AuditedBlock] = ()
    if f"{peers[0].kind} ".startswith(_NORMED) and "Sum" not in peers[0].kind:
        may = (peers[0], peers[-1])
    elif "Norm" in peers[0].kind or COMPOSITE in peers[0].kind:
        may = peers[:1]
    elif DIVIDED in peers[0].kind or NORMED in peers[0].kind:
        may = (peers[0], peers[-1])
    sizes = [math.log(block.gain) for block in inner]
    middle = median(sizes)
    usual = 1.4826 * median(abs(size - middle) for size in sizes)
    most = 2.0 * median(float(np.nan_to_num(block.spread)) for block in inner)  # a fault itself may spread gains
    odd: list[tuple[str, float, str]] = []
    wholes = [block.whole for block in inner if block.whole > 0.0]
    for block, size in zip(inner, sizes, strict=True):
        deviation = size - middle
        spread = max(min(most, float(np.nan_to_num(block.spread))), block.least_spread)
        bound = most_of_one(len(inner), max(usual, spread))
        least = WEIGHTS if block is peers[0] else ALONE
        matters = size * deviation > 0.0  # what grows less than others do is no cause of growth
        matters = matters and min(abs(size), abs(deviation)) > math.log(least)
        matters = matters and not abs(size - _by_what_it_took(block, inner)) < math.log(ALONE)
        if block.whole > 0.0:  # within a branch, what it does to the stream counts
            matters = matters and abs(math.log(block.whole / median(wholes))) > math.log(MATTERS)
        if abs(deviation) > bound and matters and not any(block is other for other in may):
            cause = f"{_ITS_GAIN}{math.exp(size):.3g}, where {math.exp(middle):.3g} is usual in this network"
            odd.append((block.name, deviation, cause))
    return odd


def _by_what_it_took(block: AuditedBlock, peers: Sequence[AuditedBlock]) -> float:
    """Return log(gain) as the size of its input makes it, where a residual stream has not come to its size yet.

    Behind a norm the branch has a Jacobian as 1/size, so that gain² - 1 is in proportion to 1/size².
    """
    sizes = [peer.took for peer in peers]
    if not (0.0 < block.took < median(sizes) and all(size > 0.0 for size in sizes)):
        return math.nan
    share = median((peer.gain * peer.gain - 1.0) * peer.took * peer.took for peer in peers)
    return 0.5 * math.log1p(max(share, 0.0) / block.took / block.took)


def heavy(blocks: Sequence[AuditedBlock], scales: Mapping[str, OutOfScale]) -> tuple[str, float, str] | None:
    """Return the block whose weights are most out of scale, if its gain differs from that of its peers.

    Where its gain is not known, or there are no such peers, they have to be out of scale by what no layer may do;
    likewise those of the first, which takes data of any scale, and over the whole the gradient has to grow. Those that
    a norm divides away are none.
    """
    odd: list[tuple[str, float, str]] = []
    scales = {name: each for name, each in scales.items() if not each.is_free and "bias" not in each.parameter}
    if blocks and (weights := scales.get(module_of(blocks[0].name))):
        counted = (block.gain for block in blocks if not is_pooling(block.kind))
        whole = math.prod(counted)  # nan where the gradient by the data is not known
        if weights.times > STRETCH and whole > WEIGHTS:
            odd.append((blocks[0].name, math.log(weights.times), weights.cause))
    for block in blocks[1:]:
        weights = scales.get(module_of(block.name))
        gains = [peer.gain for peer in blocks[1:] if peer.kind == block.kind and peer.gain > 0.0]
        if weights is None or not gains or NORMED in block.kind:
            continue
        is_known = block.gain > 0.0  # that of the first part of another branch is not
        has_peers = len(gains) > 1  # else the gain beside theirs is 1, whatever it is
        if is_known and 1.0 / MATTERS < block.gain / (median(gains) if has_peers else 1.0) < MATTERS:
            continue
        if weights.times > (WEIGHTS if is_known and has_peers else STRETCH):
            odd.append((block.name, math.log(weights.times), weights.cause))
    return max(odd, key=lambda each: each[1], default=None)


def jump(blocks: Sequence[AuditedBlock]) -> tuple[str, float, str] | None:
    """Return the block that alone does what a stretch may not, whether it has peers or not."""
    jumps: list[tuple[str, float, str]] = []
    blocks = joined(blocks)
    for block in blocks[1:]:
        if block.gain > 0.0 and math.isfinite(block.gain) and not block.is_inner:
            bound = math.log(STRETCH) + most_of_one(len(blocks), float(np.nan_to_num(block.spread)))
            if abs(math.log(block.gain)) > bound:
                whole = f"the gain of {' and '.join(block.members)}, with what is beside them,"
                whose = whole if block.members else "its gain"
                jumps.append((block.name, math.log(block.gain), f"{whose} is {block.gain:.3g}"))
    return max(jumps, key=lambda jump: abs(jump[1]), default=None)
