"""The verdict of an audit: where the gradient grows or fades more than random weights of these widths let it.

Gains are followed from the output back. A stretch of blocks explodes or vanishes if the gradient grows or fades over it
by more than a factor of 10 beyond what chance does, and a single layer stands out if its gain, or the scale of its
weights, differs from those of its peers by more than chance and by enough to matter. What chance does is derived
(`audits/chance.py`); how much matters is a convention (`audits/thresholds.py`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import NamedTuple

import numpy as np

from gradtheory.arithmetic.brief import percent
from gradtheory.audits.branches import joined
from gradtheory.audits.chance import (
    has_one_flat_side,
    most_of_one,
    most_saturated,
)
from gradtheory.audits.layers import AuditedBlock, AuditedLayer, OutOfScale, module_of
from gradtheory.audits.thresholds import ALONE, MATTERS, STRETCH
from gradtheory.audits.verdict.outliers import heavy, jump, out_of_scale, shortcut, stands_out
from gradtheory.audits.verdict.stretches import because, because_of_all, marked, stretch_of

_MOST = 709.0  # exp of it is near the largest float64
DEAD = "No gradient passes through {}"
NO_GRADIENT = "The gradient of the loss is 0, and nothing is known of how the network would change another"
NOT_FINITE = "Numbers stop being finite in {}"
GRADIENT_NOT_FINITE = "The gradient stops being finite in {}"
LOSS_NOT_FINITE = "The loss has no finite gradient"
_ALIKE = 3.0  # the most between what a layer multiplies by, and a norm after it divides by for that


class AuditVerdict(NamedTuple):
    """What became of the gradient.

    Attributes
    ----------
    verdict : {"explodes", "vanishes", "saturates", "stable"}
    start : str or None
        The layer, or the module, in which it starts.
    cause : str
    is_alone : bool
        Whether one layer stands out, and the gradient stays in range over the others.
    excess : float
        How many times as large its gain, or its weights, are as those of its peers; nan where no layer stands out, or
        its shortcut does.
    headline : str
        What is wrong, where that is something else than the gradient: "{}" stands for the name of `start`.

    """

    verdict: str
    start: str | None
    cause: str
    is_alone: bool = False
    excess: float = math.nan
    headline: str = ""


def judge(
    layers: Sequence[AuditedLayer],
    blocks: Sequence[AuditedBlock],
    scales: Mapping[str, OutOfScale],
    residual: tuple[str, float, float] | None = None,
) -> tuple[list[AuditedLayer], AuditVerdict]:
    """Return the layers with their verdicts, and the verdict of the whole.

    Of a measured module the parts with weights out of scale are given, by which factor, and which weights; and the part
    whose residual connection multiplies by most, with what is usual.
    """
    gains = {number: block.gain for block in blocks for number in block.layers}
    judged = [
        _of_layer(replace(layer, block_gain=gains.get(k, layer.gain)), len(layers)) for k, layer in enumerate(layers)
    ]
    if (verdict := _not_finite(judged) or _dead(judged, blocks)) is not None:
        return judged, verdict
    blocks = [_of_random_gradient(block) for block in blocks]
    doubled = shortcut(blocks, residual)
    odd = doubled or out_of_scale(judged, blocks) or stands_out(blocks, scales) or heavy(blocks, scales)
    lone = jump(blocks)
    if odd is None and lone is not None and stretch_of(_without(lone[0], blocks, judged)) is None:
        odd = lone
    stretch = stretch_of(blocks if odd is None else _without(odd[0], blocks, judged))
    norm = None if odd is None or stretch is None else _dividing(odd[0], blocks, judged)
    if stretch is None or norm is not None:  # then what single layers do is no fault
        judged = [
            replace(layer, verdict="steady", cause="") if layer.verdict in ("grows", "fades") else layer
            for layer in judged
        ]
    if odd is not None:
        name, size, cause = odd
        is_branch = odd is lone and any(block.members for block in joined(blocks) if block.name == name)
        is_growing = size > 0.0 if is_branch else _is_growing(name, size, blocks, judged)
        headline = _alone(is_growing, " and what is beside it") if is_branch and stretch is None else ""
        cause += _in_spite(name, size, is_growing, judged)
        if norm is not None:
            divisor = f"a norm divides the gradient by {1.0 / norm.gain:.3g}, as its input is large"
            told = f"{cause}; at {norm.name}, after it, {divisor}"
            judged = [replace(layer, verdict="grows", cause=cause) if layer.name == name else layer for layer in judged]
            return judged, AuditVerdict("explodes", module_of(name), told, headline=_alone(is_growing=True))
        judged = [
            replace(layer, verdict="grows" if is_growing else "fades", cause=cause) if layer.name == name else layer
            for layer in judged
        ]
        is_undone = stretch is not None and _undoes(stretch.size, name, is_growing, blocks, judged)
        name = module_of(name)
        is_growth = is_growing if stretch is None or is_undone else stretch.size > 0
        if stretch is not None and is_undone:
            over = f"{'fades' if is_growing else 'grows'} by a factor of {_as_factor(abs(stretch.size))}"
            cause, headline = (
                f"{cause}; over other layers the gradient {over}, and over all it stays in range",
                _alone(is_growing),
            )
        elif stretch is not None:
            how = f"{'grows' if is_growth else 'fades'} by a factor of {_as_factor(abs(stretch.size))}"
            is_same = is_growth is is_growing is (size > 0.0)
            also = f"two things are wrong: {cause}; and over other layers the gradient {how}"
            cause = f"{cause}; over other layers, too, the gradient {how}" if is_same else also
        kind = "explodes" if is_growth else "vanishes"
        excess = math.exp(min(size, _MOST)) if odd is not doubled else math.nan  # no weights mend a shortcut
        return judged, AuditVerdict(kind, name, cause, stretch is None, excess, headline)
    if stretch is not None:
        name, size, _ = stretch
        inside = (judged[number] for number in stretch.layers)
        cause = because_of_all(stretch, judged) or next((layer.cause for layer in inside if layer.name == name), "")
        judged = marked(stretch, judged)
        how = "grows" if size > 0 else "fades"
        words = f"the gradient {how} by a factor of {_as_factor(abs(size))} from here back"
        return judged, AuditVerdict(
            "explodes" if size > 0 else "vanishes", name, f"{words}: {cause}" if cause else words
        )
    saturated = next((layer for layer in judged if layer.verdict == "saturated"), None)
    if saturated is not None:
        what = "Units are saturated in {}, while gradients stay in range"
        return judged, AuditVerdict("saturates", saturated.name, saturated.cause, headline=what)
    sizes = [layer.gradient_norm for layer in judged if not math.isnan(layer.gradient_norm)]  # nan without weights
    is_0 = bool(sizes) and not any(sizes) and all(math.isnan(layer.gain) for layer in judged)
    return judged, AuditVerdict("stable", None, "", headline=NO_GRADIENT if is_0 else "")


def _of_random_gradient(block: AuditedBlock) -> AuditedBlock:
    """Return a block with the gain that it would have for a gradient which does not lie along what its norms give."""
    is_less = block.gain < 1.0 and block.lets_pass > 0.0
    return replace(block, gain=min(1.0, block.gain / block.lets_pass)) if is_less else block


def _as_factor(size: float) -> str:
    """Return a factor, given by its logarithm, in digits: it may be too large for float64."""
    return f"{math.exp(size):.3g}" if size < _MOST else f"1e+{size / math.log(10.0):.0f}"


def _of_layer(layer: AuditedLayer, number: int) -> AuditedLayer:
    """Return a layer, one of so many, with the verdict that its own numbers give."""
    if not (layer.is_finite and layer.is_gradient_finite):
        return replace(layer, verdict="not finite", cause="its numbers are not finite")
    is_dead = layer.dead > 1.0 - 1e-9 and not layer.is_measured_only  # a part may well give all samples the same
    if 0.0 in (layer.gain, layer.block_gain, layer.sigma_w) or is_dead:
        is_its_own = 0.0 in (layer.gain, layer.sigma_w)
        zero = "its weights pass nothing on" if is_its_own else "what stands before it passes nothing on"
        if layer.is_measured_only:
            zero = "nothing of its input comes through"
        elif layer.sigma_w != 0.0 and (is_dead or layer.slope_gain == 0.0):
            zero = "every slope is 0"
        return replace(layer, verdict="dead", cause=f"{zero}: no gradient passes")
    if _is_saturated(layer, number):
        share = f"{percent(layer.saturated)} of its units are saturated"
        return replace(
            layer,
            verdict="saturated",
            cause=f"{share}: pre-activations have a mean square of {layer.mean_square_z:.3g}",
        )
    if not layer.block_gain > 0.0:
        return layer
    size = math.log(layer.block_gain)
    bound = math.log(ALONE) + most_of_one(number, float(np.nan_to_num(layer.spread)))
    if abs(size) <= bound:
        return layer
    return replace(layer, verdict="grows" if size > 0 else "fades", cause=because(layer, size))


def _is_saturated(layer: AuditedLayer, number: int) -> bool:
    """Return whether most units are saturated: more than by chance, where half of them need do no harm."""
    if not layer.saturated > 0.5:
        return False
    has_one_side = layer.activation is not None and has_one_flat_side(layer.activation)
    does_no_harm = has_one_side or layer.predicted_gain * ALONE > 1.0  # sigmoid has half of them at its edge of chaos
    return layer.saturated > most_saturated(number, layer.fans[1]) or not does_no_harm


def _not_finite(layers: Sequence[AuditedLayer]) -> AuditVerdict | None:
    for layer in layers:
        if not layer.is_finite:
            return AuditVerdict("explodes", layer.name, "its numbers overflow", headline=NOT_FINITE)
    for layer in reversed(layers):
        if not layer.is_gradient_finite:
            cause = "the gradient overflows on its way back through it"
            if math.isfinite(layer.gain):
                cause = "the gradient by its parameters is not finite"
            return AuditVerdict("explodes", layer.name, cause, headline=GRADIENT_NOT_FINITE)
    return None


def _dead(layers: Sequence[AuditedLayer], blocks: Sequence[AuditedBlock]) -> AuditVerdict | None:
    """Return the verdict on the first dead layer, if a gradient passes beside it in some residual block and not in all.

    That all branches start with 0 is a way to initialise, and of a single one that the weights which end it do.
    """
    dead = {number for number, layer in enumerate(layers) if layer.verdict == "dead"}
    begins = {number for number in dead if layers[number].sigma_w == 0.0 and layers[number].gradient_norm > 0.0}
    off = {number for number in dead if layers[number].dead == 1.0}
    kinds = {block.kind: [peer for peer in blocks if peer.kind == block.kind] for block in blocks}
    meant = {
        number
        for peers in kinds.values()
        if all((peer.gain > 0.0 or peer.whole > 0.0) and dead.intersection(peer.layers) for peer in peers)
        if peers[1:] or (begins.intersection(peers[0].layers) and off.isdisjoint(peers[0].layers))
        for peer in peers
        for number in peer.layers
    }
    first = next((layers[number] for number in sorted(dead - meant)), None)  # what follows may be dead for that
    return None if first is None else AuditVerdict("vanishes", first.name, first.cause, headline=DEAD)


def _without(name: str, blocks: Sequence[AuditedBlock], layers: Sequence[AuditedLayer]) -> list[AuditedBlock]:
    """Return the blocks with nothing known of one: that of the name, or that holds the layer of that name."""
    names = [{block.name, *(layers[number].name for number in block.layers)} for block in blocks]
    holds = [name in each or name.startswith(f"{block.name}.") for block, each in zip(blocks, names, strict=True)]
    return [
        replace(block, gain=math.nan, of_all=math.nan) if has else block
        for block, has in zip(blocks, holds, strict=True)
    ]


def _dividing(name: str, blocks: Sequence[AuditedBlock], layers: Sequence[AuditedLayer]) -> AuditedBlock | None:
    """Return the norm that divides the gradient by what a layer made large, if nothing else is wrong."""
    others = _without(name, blocks, layers)
    left_out = (place for place, block in enumerate(blocks) if block.gain > 0.0 and math.isnan(others[place].gain))
    place = next(left_out, len(blocks))
    norm = next((block for block in blocks[place + 1 :] if "Norm" in block.kind and block.gain < 1.0 / ALONE), None)
    if norm is None or not 1.0 / _ALIKE < blocks[place].gain * norm.gain < _ALIKE:
        return None
    return norm if stretch_of(_without(norm.name, others, layers)) is None else None


def _undoes(
    size: float, name: str, is_growing: bool, blocks: Sequence[AuditedBlock], layers: Sequence[AuditedLayer]
) -> bool:
    """Return whether what other layers do undoes what a layer does that stands out: both may be of one fault.

    Over all of them together, that layer among them, the gradient stays in range.
    """
    gain = next((layer.block_gain for layer in layers if layer.name == name), math.nan)
    if (size > 0.0) is is_growing or not gain > 0.0:
        return False
    return abs(size + math.log(gain)) < math.log(STRETCH) or stretch_of(blocks) is None


def _alone(is_growing: bool, beside: str = "") -> str:
    return f"The gradient {'grows' if is_growing else 'fades'} in {{}}{beside}"


def _is_growing(name: str, size: float, blocks: Sequence[AuditedBlock], layers: Sequence[AuditedLayer]) -> bool:
    """Return whether the gradient grows in a layer that stands out: large weights may saturate its units instead.

    Within a branch its gain is small where the branch is, and compared with that of its peers.
    """
    gain = next((layer.block_gain for layer in layers if layer.name == name), math.nan)
    inner = next((block for block in blocks if block.name == name and block.whole > 0.0), None)
    if inner is not None:
        gain /= median(block.gain for block in blocks if block.kind == inner.kind and block.gain > 0.0)
    return size > 0.0 if not gain > 0.0 or 1.0 / MATTERS < gain < MATTERS else gain > 1.0


def _in_spite(name: str, size: float, is_growing: bool, layers: Sequence[AuditedLayer]) -> str:
    """Return that the gradient fades in a layer whose weights are too large, if it does."""
    layer = next((layer for layer in layers if layer.name == name), None)
    is_known = size > 0.0 and not is_growing and layer is not None and layer.block_gain > 0.0
    return f", and yet its gain is {layer.block_gain:.3g}" if layer is not None and is_known else ""


def through_time(name: str, size: float, steps: int) -> AuditVerdict | None:
    """Return the verdict on a recurrent module, through whose time steps the gradient grows by exp(size)."""
    if abs(size) <= math.log(STRETCH):
        return None
    how = "grows" if size > 0.0 else "fades"
    speed = f"by a factor of {math.exp(size / steps):.4g} per time step, {_as_factor(abs(size))} over {steps} of them"
    return AuditVerdict("explodes" if size > 0.0 else "vanishes", name, f"the gradient {how} {speed}")
