"""The audit of a network on its data: where gradients grow or fade, by which factor, and why."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import read_seed
from gradtheory.audits.branches import stream_of
from gradtheory.audits.layers import DIVIDED, NORMED, AuditedBlock, AuditedLayer, module_of
from gradtheory.audits.measure import Measurement, measure_network
from gradtheory.audits.modules.batches import raw
from gradtheory.audits.modules.module import is_module, measure_module
from gradtheory.audits.report.report import AdviceRun, Audit
from gradtheory.audits.report.summary import IN_RANGE, called, is_a_rate
from gradtheory.audits.verdict.judge import (
    DEAD,
    GRADIENT_NOT_FINITE,
    LOSS_NOT_FINITE,
    NOT_FINITE,
    AuditVerdict,
    through_time,
)
from gradtheory.audits.verdict.norms import judged, of_norms
from gradtheory.errors import InvalidArgument
from gradtheory.networks import Dense, Network
from gradtheory.random_weights.overflow import FLOAT_TYPES, overflow_depth
from gradtheory.random_weights.simulation.measured import Progress
from gradtheory.training.advice.of_network.advise_network import NetworkAdvice, advise_network
from gradtheory.training.optimisers import adam
from gradtheory.typing import ArrayLike

_USUAL_THROUGH_TIME = {
    "explodes": "the usual remedy is to clip the gradient and to start with orthogonal recurrent weights",
    "vanishes": "the usual remedy is to start with orthogonal recurrent weights, or to use an LSTM whose forget gate "
    "has a bias of 1",
}
_LARGE = 10.0  # the root mean square of what a norm takes
_TRIED_ON, _STEPS, _ETA = 256, 50, 0.01  # samples, steps and learning rate of a trial of remedies


def audit(
    network: Any,
    x: ArrayLike,
    y: ArrayLike | None = None,
    *,
    loss: Any = None,
    on_unknown: str = "measure",
    seed: int = 0,
    progress: Progress | None = None,
) -> Audit:
    """Return where the gradient of a network grows or fades, layer by layer, and why.

    Of a `gradtheory.Network`, or a torch module that can be read as one, each dense layer is measured on the data, and
    held against what theory says of weights of that scale. Of any other torch module the gains between its parts are
    measured, by hooks.

    Parameters
    ----------
    network : Network or torch.nn.Module
        With its weights.
    x : array_like of shape (batch, n_0), or what the torch module takes
        The data. For a torch module also a tuple, or a dict by keyword, of several; floats are converted to the type
        of its parameters.
    y : array_like, optional
        The targets. Left out, gradients start from random ones at the output.
    loss : str or callable, optional
        With y alone. As for `Network`; by default the network's own, and for a module "mse", or "softmax_cross_entropy"
        where y are classes. For a torch module also a callable of what it returns and y, which may then be a tuple or a
        dict of arrays, too.
    on_unknown : {"measure", "refuse"}
        What to do with a torch module that holds parts which are not understood: measure it, and say so, or refuse it
        with the list of these parts.
    seed : int
        Of the random gradients.
    progress : callable, optional
        Such as ``tqdm.tqdm``: it shows how far the trial of remedies is, when they are asked for.

    Returns
    -------
    Audit
        `.layers`, `.start`, `.verdict`, `.cause`, `.to_html()`, `.save(path)`, `.to_json()`; and `.remedies`, tried
        on this network as by `gradtheory.advise` when they are first asked for, with 50 steps of Adam, η = 0.01, on
        up to 256 samples; where one layer stands out, the first is to divide its weights by the factor that was
        measured. Where there is no y, or a torch module cannot be read as a network, there are none, and
        `.reason` says so.

    Raises
    ------
    InvalidArgument
        If the network is none, carries no weights, or the data do not fit.

    References
    ----------
    B. Hanin & M. Nica, "Products of many large random matrices and gradients in deep neural networks" (2018), for the
    spread of gains; S. Schoenholz et al., "Deep information propagation" (2017), for χ.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> w = [rng.normal(0, 2 / 8, (64, 64)) for _ in range(20)]
    >>> b = [np.zeros(64)] * 20
    >>> report = audit(Network((64,) * 21, "relu", w=w, b=b), rng.normal(size=(32, 64)))
    >>> report.verdict, report.start
    ('explodes', 'layer20')

    """
    one_of(on_unknown, "on_unknown", ("measure", "refuse"))
    seed = read_seed(seed)
    if is_module(network):
        measured, unread = measure_module(network, x, y, loss, on_unknown, seed)
    elif isinstance(network, Network):
        measured, unread = measure_network(network, x, y, loss, seed), ""
    else:
        raise InvalidArgument(
            "network",
            network,
            "must be a torch.nn.Module or a gradtheory.Network, as Network.from_onnx(path) and "
            "Network.from_weights(state_dict, activation) read them",
        )
    if loss is not None and y is None:
        raise InvalidArgument("loss", loss, "is used with y only: pass the targets, or leave it out")
    layers, verdict = judged(measured)
    layers, verdict = of_norms(layers, _before_a_norm(verdict, layers), measured)
    if measured.overflows:
        verdict = AuditVerdict("explodes", measured.origin, measured.overflows, headline=NOT_FINITE)
    elif measured.origin is not None:
        verdict = verdict._replace(start=measured.origin, is_alone=False, excess=math.nan)
    elif measured.attention is not None:
        verdict = _of_attention(*measured.attention, measured, verdict)
    elif measured.loop is not None and verdict.start is None and not measured.is_read_early:
        verdict = through_time(*measured.loop[:3]) or verdict
        layers = [_in_loop(layer, verdict) for layer in layers]
        verdict = verdict._replace(cause=f"{verdict.cause}; {measured.recurrent}") if verdict.start else verdict
    elif measured.loop is not None and verdict.start and f"{measured.loop[0]}.".startswith(f"{verdict.start}."):
        _, size, steps, by = measured.loop
        share = f"its {by} at the first of {steps + 1} time steps has {math.exp(size):.3g} times the gradient of the"
        verdict = verdict._replace(cause=f"{verdict.cause}; {share} last; {measured.recurrent}")
    dead = measured.dead or (measured.closed if len(measured.closed) == 1 else ())  # all branches may start with 0
    verdict = _of_dead(_of_weights(verdict, measured), dead)
    verdict = verdict._replace(start=_scaled_norm(verdict.start, layers, measured))
    hidden = [*measured.unseen, *([f"the weights {measured.beside}"] if measured.beside else [])]
    if verdict.verdict == "stable" and hidden:
        verdict = verdict._replace(headline=f"{IN_RANGE}; what happens within {' and '.join(hidden)} is not seen")
    elif verdict.verdict in ("explodes", "vanishes") and measured.beside and verdict.cause:
        verdict = verdict._replace(cause=f"{verdict.cause}; what {measured.beside} do counts to the part after them")
    within = f"{verdict.start}." if verdict.verdict == "saturates" else ""
    holder = next((name for name in measured.scales if within.startswith(f"{name}.")), verdict.start or "")
    weights = measured.scales.get(holder)
    if weights is not None and not weights.is_free and f"its {weights.parameter} is" not in verdict.cause:
        of_it = "" if holder == verdict.start else f"and of {called(holder)} "
        verdict = verdict._replace(cause=f"{verdict.cause}; {of_it}{weights.cause}")
    layers = [_remarked(layer, measured, verdict.start) for layer in layers]
    is_finite = all(layer.is_finite and layer.is_gradient_finite for layer in layers)
    blocks = stream_of(measured.blocks)
    growth = _growth(blocks) if is_finite else math.nan
    is_rate = 0.0 < growth < math.inf and is_a_rate(blocks)
    overflow = {name: overflow_depth(growth, name) for name in FLOAT_TYPES} if is_rate else {}
    trial = _trial(measured, verdict, (x, y), loss, progress)
    return Audit(
        tuple(layers), verdict.verdict, verdict.start, verdict.cause, growth, overflow, measured.loss,
        measured.loss_name, bool(unread), unread, verdict.is_alone, tuple(blocks), trial,
        verdict.headline,
    )  # fmt: skip


def _trial(
    measured: Measurement, verdict: AuditVerdict, data: tuple[Any, Any], loss: Any,
    progress: Progress | None,
) -> AdviceRun:  # fmt: skip
    """Return what tries remedies on this network when they are asked for, or why none is tried."""
    network = measured.network
    if verdict.verdict == "stable":
        return AdviceRun(None, "no remedy is tried: nothing is wrong")
    if data[1] is None:
        return AdviceRun(None, "no remedy is tried: that needs targets, y")
    if network is None:
        is_loop = measured.loop is not None and verdict.start == measured.loop[0]
        usual = f"; {_USUAL_THROUGH_TIME[verdict.verdict]}" if is_loop else ""
        return AdviceRun(None, f"no remedy is tried: the module could not be read as a network{usual}")
    if measured.broken:
        return AdviceRun(None, "no remedy is tried: nothing mends weights that are not finite but other weights")
    if isinstance(loss, str) and loss != network.loss:
        network = Network.from_nodes(network.nodes, network.n_inputs, loss)
    few = network.read_data(*(np.asarray(raw(each))[:_TRIED_ON] for each in data))
    is_dense = any(node.name == verdict.start and isinstance(node.operation, Dense) for node in network.nodes)
    layer = (str(verdict.start), 1.0 / verdict.excess) if is_dense and verdict.excess > 0.0 else None

    def advise() -> NetworkAdvice:
        return advise_network(
            network, *few, adam(_ETA), steps=_STEPS, batch_size=None, seed=0, layer=layer, progress=progress
        )

    return AdviceRun(advise, "", f"Each is tried alone, on {len(few[0])} samples:")


def _of_attention(module: str, cause: str, measured: Measurement, others: AuditVerdict) -> AuditVerdict:
    """Return the verdict on attention: logits are large where weights before it are out of scale, too.

    Where the gradient leaves its range elsewhere, that is what is said first.
    """
    names = [layer.name for layer in measured.layers]
    holder = next((k for k, name in enumerate(names) if f"{module}.".startswith(f"{name}.")), len(names))
    scales = {name: each for name, each in measured.scales.items() if not each.is_free}
    before = next((name for name in names[:holder] if name in scales), None)
    of_it = cause.replace("its attention", "the attention", 1)
    is_its_cause = others.start == before and names[:holder][-1:] == [before]
    if others.start is not None and not (is_its_cause or f"{module}.".startswith(f"{others.start}.")):
        return others._replace(cause=f"{others.cause}; and in {called(module)} {of_it}")
    in_range = "" if others.start else ", while gradients stay in range"
    if before is None or (names[holder : holder + 1] and names[holder] in scales):
        return AuditVerdict("saturates", module, cause, headline=f"Attention saturates in {{}}{in_range}")
    cause = f"{scales[before].cause}; so in {called(module)}, after it, {of_it}"
    return AuditVerdict("saturates", before, cause, headline=f"Attention saturates for what {{}} gives{in_range}")


def _scaled_norm(start: str | None, layers: Sequence[AuditedLayer], measured: Measurement) -> str | None:
    """Return the norm behind a layer with which it is measured, if it is the norm's weights that are out of scale."""
    names = [layer.name for layer in layers]
    if start not in names or start in measured.scales:
        return start
    marks = "Norm", DIVIDED, NORMED
    own = (block for block in measured.blocks if block.name == start and any(each in block.kind for each in marks))
    within = [names[k] for block in own for k in block.layers if names[k] != start]
    return next((name for name in within if name in measured.scales), start)


def _of_weights(verdict: AuditVerdict, measured: Measurement) -> AuditVerdict:
    """Return the verdict on weights that are not finite, if these made the numbers so, or on the loss, if it did."""
    if verdict.headline == GRADIENT_NOT_FINITE and not measured.broken and not measured.is_started:
        cause = "it is not finite by what the network gives, before it comes to any part"
        return AuditVerdict("explodes", None, cause, headline=LOSS_NOT_FINITE)
    if not measured.broken or verdict.headline not in (NOT_FINITE, GRADIENT_NOT_FINITE):
        return verdict
    start = next(iter(measured.broken)) if verdict.start not in measured.broken else str(verdict.start)
    return AuditVerdict("explodes", start, measured.broken[start], headline="The weights of {} are not finite")


def _of_dead(verdict: AuditVerdict, dead: Sequence[tuple[str, str]]) -> AuditVerdict:
    """Return the verdict on a network that holds modules of which no unit moves; where more is wrong, that is added."""
    start = verdict.start or ""
    told = [each for each in dead if not f"{each[0]}.".startswith(f"{start}.") or verdict.headline != DEAD]
    if not told or verdict.headline in (NOT_FINITE, GRADIENT_NOT_FINITE, LOSS_NOT_FINITE):
        return verdict
    name, cause = told[0]
    also = f"; so it is with {', '.join(each for each, _ in told[1:3])}{' and others' * (len(told) > 3)}"
    cause = f"{cause}{also if told[1:] else ''}"
    if verdict.start is not None:
        return verdict._replace(cause=f"{verdict.cause}; and no gradient passes through {called(name)}: {cause}")
    return AuditVerdict("vanishes", name, f"{cause}; gradients pass beside it", headline=DEAD)


def _before_a_norm(verdict: AuditVerdict, layers: list[AuditedLayer]) -> AuditVerdict:
    """Return the verdict on a norm of a measured module that divides by a large input: what made that is to blame."""
    place = next((k for k, layer in enumerate(layers) if layer.name == verdict.start), 0)
    size = layers[place - 1].mean_square_a
    if verdict.verdict != "vanishes" or place == 0 or "Norm" not in layers[place].kind or not size > _LARGE**2:
        return verdict
    start = next(layer.name for layer in layers if layer.mean_square_a > size / 4.0)
    cause = f"its output is {math.sqrt(size):.3g} large, by which {verdict.start} divides the gradient"
    cause = f"{cause}: {verdict.cause}"
    return verdict._replace(start=start, cause=cause, is_alone=False, excess=math.nan)


def _remarked(layer: AuditedLayer, measured: Measurement, start: str | None) -> AuditedLayer:
    """Return a layer with what is unusual of its weights, where they do no harm to the gradient."""
    weights, path = measured.scales.get(layer.name), module_of(layer.name)
    is_told = layer.name == start or layer.verdict != "steady" or bool(layer.cause)
    broken = next((name for name in measured.broken if f"{name}.".startswith(f"{path}.")), None)
    if broken is not None and not is_told:
        where = "" if broken == path else f"in {called(broken)}, "
        return replace(layer, cause=f"{where}{measured.broken[broken]}")
    if layer.name in measured.remarks and not is_told:
        return replace(layer, cause=measured.remarks[layer.name])
    if weights is None or is_told or "bias" in weights.parameter:
        return layer
    return replace(layer, cause=weights.remark)


def _in_loop(layer: AuditedLayer, verdict: AuditVerdict) -> AuditedLayer:
    """Return a layer with the verdict on the time steps of the recurrent module that it is, or holds."""
    if verdict.start is None or not f"{verdict.start}.".startswith(f"{layer.name}."):
        return layer
    return replace(layer, verdict="grows" if verdict.verdict == "explodes" else "fades", cause=verdict.cause)


def _growth(blocks: list[AuditedBlock]) -> float:
    """Return the factor per block, the geometric mean of gains.

    The first is left out: what it does to the gradient by the input changes no weight's gradient.
    """
    gains = [block.gain for block in blocks[1:] or blocks if not math.isnan(block.gain)]
    if not gains or not all(math.isfinite(gain) for gain in gains):
        return math.nan
    return math.exp(sum(map(math.log, gains)) / len(gains)) if all(gain > 0.0 for gain in gains) else 0.0
