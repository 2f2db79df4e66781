"""What an audit says first: what is wrong and where, at which rate, and what it was measured with."""

import math
from collections.abc import Sequence
from typing import Any

from gradtheory.audits.layers import AuditedBlock, AuditedLayer, module_of
from gradtheory.audits.measure import NONE, OWN, YOURS

_LARGE_INPUTS = 100.0  # a mean square that usual rates and initial weights are not made for
_ONE_IN = 8  # blocks has to make most of a growth, with a norm, say, beside each: else it is no rate per block
_OPPOSITE = {("explodes", "fades"): "fade", ("vanishes", "grows"): "grow"}
_VERB = {
    "explodes": "explodes",
    "vanishes": "lets gradients vanish",
    "saturates": "saturates",
    "stable": "keeps gradients in range",
}
IN_RANGE = "Between its parts the network keeps gradients in range"
_WHOSE = {OWN: "which the module returns itself", YOURS: "by the function that was passed as loss"}


def summary_of(report: Any) -> list[str]:
    """Return the sentences above the table of an `Audit`."""
    lines = [_headline(report) + (f" Cause: {report.cause}." if report.cause else "")]
    lines += [f"Yet of {called(each.name)}: {each.cause}." for each in report.layers if _is_remark(each)]
    lines += _rate(report)
    if report.loss_name == NONE:
        lines.append("Without targets the gradient starts in random directions.")
    else:
        whose = _WHOSE.get(report.loss_name, report.loss_name)
        lines.append(f"The loss on these data is {report.loss + 0.0:.4g} ({whose}).")
    first = report.layers[0]
    inputs = math.nan
    if first.sigma_w > 0.0:  # squares may leave float64
        inputs = (first.mean_square_z - first.sigma_b * first.sigma_b) / first.sigma_w / first.sigma_w
    if _LARGE_INPUTS < inputs < math.inf:
        lines.append(f"The inputs have a mean square of about {inputs:.3g}: scale them to about 1.")
    if report.is_measured_only:
        lines.append(f"Measured only, without theory, as it could not be read as a network: {report.unread}.")
    return lines


def called(name: str) -> str:
    """Return a name as it stands in a sentence: that of a place in a list, such as 12, looks like a number."""
    return name if any(character.isalpha() for character in name) else f"layer {name!r}"


def is_a_rate(blocks: Sequence[AuditedBlock]) -> bool:
    """Return whether the gradient grows, or fades, in many of the blocks alike.

    Of those that change it in the direction of the whole, the steepest that make more than half of the change are one
    in eight of all at least, and more than one.
    """
    sizes = [math.log(block.gain) for block in _counted(blocks)]
    sign = math.copysign(1.0, sum(sizes))
    alike = sorted((sign * size for size in sizes if sign * size > 0.0), reverse=True)
    number, total = 0, 0.0
    while number < len(alike) and total <= sum(alike) / 2.0:
        total += alike[number]
        number += 1
    return number > 1 and _ONE_IN * number >= len(sizes)


def _counted(blocks: Sequence[AuditedBlock]) -> list[AuditedBlock]:
    """Return the blocks of which a gain is known, without the first: it changes no weight's gradient."""
    return [block for block in blocks[1:] if block.gain > 0.0 and math.isfinite(block.gain)]


def _is_remark(layer: AuditedLayer) -> bool:
    return layer.verdict == "steady" and bool(layer.cause)


def _headline(report: Any) -> str:
    start = "" if report.start is None else called(report.start)
    if report.headline:
        return f"{report.headline.replace('{}', start)}."
    own = next((layer.verdict for layer in report.layers if layer.name == report.start), "")
    if (how := _OPPOSITE.get((report.verdict, own))) is not None:  # two things are wrong
        return f"The network {_VERB[report.verdict]}, while gradients {how} in {start}."
    if report.is_alone:
        return f"The gradient {'grows' if report.verdict == 'explodes' else 'fades'} in {start} alone."
    return f"The network {_VERB[report.verdict]}{start and f', from {start} back'}."


def _rate(report: Any) -> list[str]:
    """Return by which factor the gradient is multiplied, and how long floats last at that rate, if it is one."""
    counted = _counted(report.blocks)
    if len(counted) < 2 or not 0.0 < report.growth < math.inf:
        return []
    what = "part of the network" if report.is_measured_only else "layer or residual block"
    steepest = max(counted, key=lambda block: abs(math.log(block.gain)))
    is_wrong = report.verdict in ("explodes", "vanishes") and not (report.is_alone or report.headline)
    if is_wrong and not is_a_rate(report.blocks):
        is_there = f"{module_of(report.start or '')}.".startswith(f"{module_of(steepest.name)}.")
        return [f"It is one jump, by {steepest.gain:.3g}, and no rate per {what}."] if is_there else []
    is_counted = report.marked not in (None, report.blocks[0].name)  # nor is what has no gain
    others = f"Over the others it stays in range{'; with this one counted,' if is_counted else ':'} it"
    way = others if report.is_alone else "On its way back the gradient"
    lines = [f"{way} is multiplied by {report.growth:.4g} per {what} (geometric mean)."]
    lasts = ", ".join(f"{name} {depth}" for name, depth in report.overflow.items() if depth < math.inf)
    if lasts and is_wrong and (report.growth > 1.0) is (report.verdict == "explodes"):
        lost = "would overflow" if report.growth > 1.0 else "would become 0"
        lines.append(f"At that rate it {lost} after so many of them: {lasts}.")
    return lines
