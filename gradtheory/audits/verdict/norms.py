"""The verdict on norms that are at fault: without what is odd of them, nothing else is wrong."""

from collections.abc import Sequence
from dataclasses import replace

from gradtheory.audits.layers import AuditedLayer
from gradtheory.audits.measure import Measurement
from gradtheory.audits.report.summary import called
from gradtheory.audits.verdict.judge import DEAD, GRADIENT_NOT_FINITE, NOT_FINITE, AuditVerdict, judge

_TOLD = 3  # norms beside the first


def judged(measured: Measurement) -> tuple[list[AuditedLayer], AuditVerdict]:
    """Return the layers of what was measured with their verdicts, and the verdict of the whole."""
    return judge(measured.layers, measured.blocks, measured.scales, measured.shortcut)


def of_norms(
    layers: list[AuditedLayer], verdict: AuditVerdict, measured: Measurement
) -> tuple[list[AuditedLayer], AuditVerdict]:
    """Return the verdict on a norm, if that is what is wrong: what it does to layers beside it is no fault of these."""
    start = next((layer for layer in layers if layer.name == verdict.start), None)
    if measured.closed and verdict.headline == DEAD and start is not None and start.sigma_w != 0.0:
        name, why = measured.closed[0]
        return layers, AuditVerdict("vanishes", name, f"{why}: no gradient passes", headline=DEAD)
    if not measured.odd or measured.without is None or verdict.start is None:
        return layers, verdict
    if measured.network is None and verdict.headline in (NOT_FINITE, GRADIENT_NOT_FINITE):
        return layers, verdict
    return _of_odd(layers, verdict, measured, *judged(measured.without()))


def _of_odd(
    layers: list[AuditedLayer],
    verdict: AuditVerdict,
    measured: Measurement,
    usual: Sequence[AuditedLayer],
    rest: AuditVerdict,
) -> tuple[list[AuditedLayer], AuditVerdict]:
    """Return the verdict on odd norms, as the layers and the verdict are with usual ones in their place."""
    first, *others = measured.odd
    is_read = measured.network is not None
    also = "".join(f"; and of {called(each.name)} {each.cause}" for each in others[:_TOLD])
    also += "; and of others" * (len(others) > _TOLD)
    if rest.start is not None:
        is_apart = not is_read and rest.start == verdict.start  # a measured norm has a row, which tells of it
        told = "" if is_apart else f"; and of {called(first.name)} {first.cause}{also}"
        return layers, verdict._replace(cause=f"{verdict.cause}{told}")
    if verdict.start == first.name and verdict.is_alone:
        told = "" if f"its {first.what} is" in verdict.cause else f"; {first.cause}"
        return layers, verdict._replace(cause=f"{verdict.cause}{told}{also}")
    kind, how = ("explodes", "grows") if first.times > 1.0 else ("vanishes", "fades")
    if not is_read:
        own = {layer.name: layer for layer in usual} | {first.name: replace(layers[0], verdict=how, cause=first.cause)}
        layers = [
            replace(layer, verdict=own[layer.name].verdict, cause=own[layer.name].cause) if layer.name in own else layer
            for layer in layers
        ]
    headline = f"The gradient {how} in {{}}"
    return layers, AuditVerdict(kind, first.name, f"{first.cause}{also}", True, headline=headline)
