"""Stretches of a network over which the gradient grows or fades too much, and what makes it do so."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from gradtheory.audits.branches import joined
from gradtheory.audits.chance import most_over_a_stretch
from gradtheory.audits.layers import AuditedBlock, AuditedLayer, module_of
from gradtheory.audits.thresholds import MATTERS, STRETCH

_ROUNDED = 0.02  # of logarithms: what three digits of each factor leave open
_SO_MANY = 4  # blocks that each make the gradient grow, as chance hardly ever does


class Stretch(NamedTuple):
    """Blocks in a row over which the gradient leaves its range: where that starts, its logarithm, and their layers."""

    name: str
    size: float
    layers: tuple[int, ...]


def stretch_of(blocks: Sequence[AuditedBlock]) -> Stretch | None:
    """Return where, from the output back, the gradient grows or fades most, if that is too much.

    Beyond chance is what chance alone does hardly ever, and growth in each of so many blocks.
    The first block is left out: what it does to the gradient by the input changes no weight's gradient. Branches beside
    one another are followed each by itself.
    """
    backwards = [block for block in reversed(joined(blocks)[1:]) if block.gain > 0.0 and math.isfinite(block.gain)]
    paths = dict.fromkeys(block.path for block in backwards)
    parts = [part for path in paths for part in _parts([block for block in backwards if block.path == path])]
    stretches = [stretch for part in parts if (stretch := _greatest(part, len(parts))) is not None]
    return max(stretches, key=lambda stretch: abs(stretch.size), default=None)


def _variance(block: AuditedBlock) -> float:
    """Return the variance of log(gain) by chance."""
    return float(np.nan_to_num(block.spread)) ** 2


def _parts(backwards: Sequence[AuditedBlock]) -> Iterator[Sequence[AuditedBlock]]:
    """Yield blocks, and what is before and after the one that has most of their chance, as a single output has.

    Beside it what wide layers do in a row would pass for chance.
    """
    if not backwards:
        return
    yield backwards
    variances = [_variance(block) for block in backwards]
    place = int(np.argmax(variances))
    if 2.0 * variances[place] > sum(variances):
        yield from _parts(backwards[:place])
        yield from _parts(backwards[place + 1 :])


def _greatest(backwards: Sequence[AuditedBlock], parts: int) -> Stretch | None:
    """Return the stretch of blocks, of one of so many parts, over which the gradient grows or fades most."""
    variances = [_variance(block) for block in backwards]
    bound = math.log(STRETCH) + most_over_a_stretch(sum(variances), parts)
    best: Stretch | None = None
    for sign in (1.0, -1.0):
        total, size, passed, least, start = 0.0, 0.0, 0, math.inf, ""  # with chance, and as it is
        shares: dict[str, float] = {}  # of the total, by module: one may be called many times
        for place, (block, variance) in enumerate(zip(backwards, variances, strict=True), 1):
            step = sign * (math.log(block.gain) + variance)  # of chance alone, log(gain) has the mean -variance
            if total <= 0.0:
                total, size, passed, least, start, shares = 0.0, 0.0, 0, math.inf, block.name, {}
                if sign * math.log(block.gain) <= 0.0:  # nothing starts here
                    continue
            total += step
            size += sign * math.log(block.gain)
            passed += 1
            known = block.gain * math.exp(-math.sqrt(variance))  # where theory says nothing
            least = min(least, block.expected if block.expected > 0.0 else known)
            name = module_of(block.name)
            shares[name] = shares.get(name, 0.0) + step
            is_meant = sign > 0.0 and total > math.log(STRETCH) and passed >= _SO_MANY and least > MATTERS
            is_large = size > math.log(STRETCH) and (total > bound or is_meant)
            if is_large and (best is None or size > abs(best.size)):
                steepest = max(shares, key=shares.__getitem__)
                inside = tuple(number for each in backwards[place - passed : place] for number in each.layers)
                best = Stretch(steepest if shares[steepest] > total / 2.0 else start, sign * size, inside)
    return best


def because_of_all(stretch: Stretch, layers: Sequence[AuditedLayer]) -> str:
    """Return what slopes and weights contribute to a stretch per layer, if that is known of most of them."""
    known = [layers[k] for k in stretch.layers if layers[k].slope_gain > 0.0 and layers[k].weight_gain > 0.0]
    if 2 * len(known) <= len(stretch.layers) or len(known) < 2:
        return ""
    slopes, weights = (
        math.fsum(map(math.log, each)) / len(known)
        for each in ([layer.slope_gain for layer in known], [layer.weight_gain for layer in known])
    )
    told = f"slopes contribute {math.exp(slopes):.3g}, weights {math.exp(weights):.3g}"
    return f"per layer {told}{_rest(stretch.size / len(known) - slopes - weights)}"


def marked(stretch: Stretch, layers: Sequence[AuditedLayer]) -> list[AuditedLayer]:
    """Return the layers, of which those of a stretch grow or fade that do so at half its rate at least."""
    sign, rows = math.copysign(1.0, stretch.size), list(layers)
    for k in stretch.layers:
        size = math.log(layers[k].block_gain) if layers[k].block_gain > 0.0 else 0.0
        if layers[k].verdict == "steady" and sign * size > abs(stretch.size) / len(stretch.layers) / 2.0:
            cause = layers[k].cause or because(layers[k], size)
            rows[k] = replace(layers[k], verdict="grows" if sign > 0.0 else "fades", cause=cause)
    return rows


def because(layer: AuditedLayer, size: float) -> str:
    """Return whether slopes or weights make a layer's gain, given by its logarithm, what it is."""
    if not (layer.slope_gain > 0.0 and layer.weight_gain > 0.0):
        return f"its gain is {math.exp(size):.3g}"
    slopes, weights = f"slopes contribute {layer.slope_gain:.3g}", f"weights {layer.weight_gain:.3g}"
    scale = f" (σ_w = {layer.sigma_w:.3g})" if layer.sigma_w > 0.0 else ""
    return f"{slopes}, {weights}{scale}{_rest(size - math.log(layer.slope_gain) - math.log(layer.weight_gain))}"


def _rest(size: float) -> str:
    """Return what a gain has beside slopes and weights, given by its logarithm, if it has anything."""
    rest = "all else, such as residual connections, norms and factors"
    return f", and {rest}, {math.exp(size):.3g}" if abs(size) > _ROUNDED else ""
