"""Any torch module, measured by hooks: the gradient at the output of each of its parts, in the order of their calls.

The parts are the modules that the module calls itself, not those that its parts call: their outputs are the stream
through the network, also where a part is a residual branch.
"""

import functools
import math
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.audits.broken import broken_modules
from gradtheory.audits.chance import spread_of_gain
from gradtheory.audits.layers import COMPOSITE, NAN, NORMED, PEERS, AuditedBlock, AuditedLayer, is_pooling
from gradtheory.audits.measure import NONE, Measurement, measure_network
from gradtheory.audits.modules.attention import attention_fault, watched
from gradtheory.audits.modules.batches import SEVERAL, given_to, holds_arrays, is_several, one_array, raw, read_batch
from gradtheory.audits.modules.call import Call, hands_on, names_of, origin_of, settle
from gradtheory.audits.modules.graph import Graph
from gradtheory.audits.modules.hooks import check_takes_hooks
from gradtheory.audits.modules.jacobians import plain_attention, with_singular_values
from gradtheory.audits.modules.loops import counted, follow_loops, is_repeated
from gradtheory.audits.modules.losses import loss_of, name_of, undone_by
from gradtheory.audits.modules.norms import divisor, learns_from_batches, mark_branches, of_any_scale, why_uncounted
from gradtheory.audits.modules.own_gains import gain_of, keep_gradients, led, own_gains
from gradtheory.audits.modules.pooling import factor_within
from gradtheory.audits.modules.projections import lets_pass, not_let_pass
from gradtheory.audits.modules.recording import recorded
from gradtheory.audits.modules.scales import scales_within
from gradtheory.audits.modules.shortcuts import odd_shortcut
from gradtheory.audits.modules.silence import dead_within, passing, silenced, unreached
from gradtheory.audits.modules.stream import inner_parts, parts_before, paths_of, stream, unseen, weights_beside
from gradtheory.audits.modules.tensors import gradients_of, square_sum
from gradtheory.audits.modules.time_steps import TimeSteps
from gradtheory.audits.modules.usual_norms import divided, odd_norms_within
from gradtheory.errors import GradTheoryError, InvalidArgument
from gradtheory.networks import Network
from gradtheory.networks.readers.building import ADVICE
from gradtheory.networks.readers.checkpoints import without_checkpoints
from gradtheory.networks.readers.untouched import uncompiled, untouched, unwrapped
from gradtheory.random_weights.precision import GradientSizes

_OF_SHAPES = "Flatten", "Unflatten", "Identity"  # modules that change nothing else
_NO_GRADIENT = "gives an output that no gradient comes back from: it is detached, of integers, or under no_grad"
_ONE = "it is one part, and what the gradient does within a part is not seen"
_SHORT = ("float16", "bfloat16")
_RELU = 2.0  # the kurtosis of its slopes


def is_module(value: Any) -> bool:
    """Return whether a value is a torch module; torch is not imported for that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def measure_module(module: Any, x: Any, y: Any, loss: Any, on_unknown: str, seed: int) -> tuple[Measurement, str]:
    """Return what is measured of a torch module, as a network where it can be read as one, or else why it is not."""
    module = unwrapped(module)
    check_takes_hooks(module, "network")
    x, y = read_batch(x, "x"), None if y is None else read_batch(y, "y")
    is_named = isinstance(loss, str) or callable(loss)  # of several targets a function of yours knows what they are
    of_classes = not is_named and y is not None and _are_classes(y)
    name = loss if isinstance(loss, str) else "softmax_cross_entropy" if of_classes else "mse"
    try:
        network = Network.from_torch(module, name)
    except InvalidArgument as error:
        if on_unknown == "refuse":
            raise
        return _because(_by_hooks(module, x, y, loss, seed), f"it {error.rule.removesuffix(f'; {ADVICE}')}")
    if callable(loss):
        return _because(_by_hooks(module, x, y, loss, seed), "the loss is a function of yours")
    if isinstance(x, Mapping) or is_several(x) or one_array(x, "x").ndim != 2:
        return _because(_by_hooks(module, x, y, loss, seed), "x is not an array of shape (batch, n)")
    targets = None if y is None else one_array(y, "y")
    measured = replace(measure_network(network, one_array(x, "x"), targets, name, seed), network=network)
    return _with_overflow(measured, module, x, y, loss, seed), ""


def _because(measured: Measurement, reason: str) -> tuple[Measurement, str]:
    """Return what was measured, and why only that, with what no gradient comes back to, or that it is one part."""
    more = measured.unreached or (_ONE if len(measured.layers) == 1 else "")
    return measured, f"{reason}; {more}" if more else reason


def _with_overflow(measured: Measurement, module: Any, x: Any, y: Any, loss: Any, seed: int) -> Measurement:
    """Return what was measured in float64, with the layer in which the module's own float type overflows."""
    name = str(next(iter(module.parameters())).dtype).rpartition(".")[2]
    if name not in _SHORT:
        return measured
    own = _by_hooks(module, x, y, loss, seed)
    back = next((layer.name for layer in reversed(own.layers) if not layer.is_gradient_finite), None)
    start = own.origin or back
    if start is None:
        return measured
    return replace(
        measured,
        origin=start,
        overflows=f"its numbers overflow {name}" if own.origin else (f"its gradient overflows {name} on its way back"),
    )


def _are_classes(y: Any) -> bool:
    return one_array(y, "y").ndim == 1 and np.asarray(raw(y)).dtype.kind in "iu"


def _by_hooks(module: Any, x: Any, y: Any, loss: Any, seed: int) -> Measurement:
    """Return the gains between a module's parts, from one forward and one backward pass; nothing in it is changed."""
    import torch

    modes, broken = {part: part.training for part in module.modules()}, broken_modules(module)  # it may write buffers
    try:
        with untouched(module), uncompiled(module), without_checkpoints(), recorded(module) as record:
            for part in module.modules():
                part.training = modes[part] and learns_from_batches(part)
            for parameter in module.parameters():
                parameter.grad = None
            given, keywords, leaves = given_to(x, module)
            with plain_attention(), watched(lambda: record.module_now() or type(module).__name__) as logits:
                output = module(*given, **keywords)
            value = loss_of(output, y, loss, seed, torch)
            if not value.requires_grad:
                raise InvalidArgument("network", type(module).__name__, _NO_GRADIENT)
            graph, shortcut = record.behind(value.grad_fn), odd_shortcut(record.calls)
            keeps = keep_gradients(record.calls)
            value.backward(retain_graph=keeps or is_repeated(record.calls))
            by_x = {id(leaf): float(square_sum(leaf.grad)) for leaf in leaves if leaf.grad is not None}
            name = name_of(output, y, loss)
            settle(record.calls, [None if name == NONE else value, *(each.grad for each in module.parameters())])
            told = NAN if name == NONE else float(value.detach())
            parts = stream(record.calls, graph, module)
            follow_loops(parts, record.calls, graph, module)
            measured = _measured(parts, record.calls, graph, told, module, by_x, undone_by(value, output))
            layers = with_singular_values(measured.layers, parts, record.calls)
        odd, weights = odd_norms_within(module, [layer.name for layer in layers], record.calls)
        without = functools.partial(_without, weights, module, x, y, loss, seed)
        return replace(
            measured, layers=layers, loss_name=name, attention=attention_fault(logits), shortcut=shortcut,
            broken=broken, odd=odd, without=without,
        )  # fmt: skip
    except GradTheoryError:
        raise
    except Exception as error:  # whatever the module's own code raises
        text = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        several = f"; {SEVERAL}" if isinstance(x, list) and holds_arrays(x) else ""
        raise InvalidArgument(
            "network", type(module).__name__, f"does not take this x and y: {text}{several}"
        ) from error


def _without(weights: Sequence[tuple[Any, float]], module: Any, x: Any, y: Any, loss: Any, seed: int) -> Measurement:
    with divided(weights):
        return _by_hooks(module, x, y, loss, seed)


def _measured(
    parts: list[Call], calls: list[Call], graph: Graph, loss: float, module: Any, by_x: Mapping[int, float], undone: str
) -> Measurement:
    """Return the parts as blocks, and beside them the modules without children within.

    A part that begins a branch beside the stream has no gain that is known; nor has what the loss undoes.
    """
    gradients = gradients_of(module)
    taken = parts_before(parts, calls)
    sources = [several[-1] if several else None for several in taken]
    paths = paths_of(sources)
    own = own_gains(parts, taken, paths, calls, graph, by_x, passing(parts, sources, module))
    paths = led(paths, taken, own)
    inner = inner_parts(parts, sources, paths, graph)
    layers: list[AuditedLayer] = []
    blocks: list[AuditedBlock] = []
    remarks: dict[str, str] = {}
    givers: list[Call] = []  # for each part that of which it hands on the numbers, or itself
    all_calls = Counter(part.name for part in parts)
    for place, (part, name, source, path, its) in enumerate(
        zip(parts, names_of(parts), sources, paths, own, strict=True)
    ):
        goes_on = source is not None and paths[source] == path
        before, giver = (parts[source], givers[source]) if source is not None and goes_on else (None, None)
        givers.append(part)
        spread = _spread(part, before or part)
        behind = part if source is None else parts[source]
        layers.append(_layer(part, behind, name, its.gain, its.share_above_1, gradients, spread))
        kind = f"{part.kind}{COMPOSITE if part.children else ''}"
        if is_pooling(kind) or (kind == undone and all(each.kind in _OF_SHAPES for each in parts[place + 1 :])):
            blocks.append(AuditedBlock(name, NAN, spread, (place,), kind, path=path))
            continue
        factor = factor_within(part, calls)
        known, known_of_all = (counted(part, before, each / factor) for each in (its.counted, its.of_all))
        own_kind = f"{kind} {part.name}" if all_calls[part.name] > PEERS else kind  # of a loop, with the same weights
        block = AuditedBlock(
            name, known, spread, (place,), own_kind, least_spread=spread, took=part.took_size, path=path,
            is_inner=inner[place], lets_pass=lets_pass(part, calls), of_all=known_of_all,
        )  # fmt: skip
        is_another = giver is not None and giver.kind in _activations()  # of two in a row one has other weights
        after = divisor(part, before) or (f" {kind}" if part.kind in _activations() and not is_another else "")
        is_mouth = inner[place] and source is not None and not inner[source]  # something goes around it alone
        is_next = before is not None and source == place - 1 and not is_mouth
        if is_next and before is not None and giver is not None and hands_on(part, before, module):
            givers[-1] = giver
            blocks.append(block)
            continue
        is_simple = is_next and giver is not None and not giver.children and not is_pooling(giver.kind)
        why = why_uncounted(part, its.gain / factor, calls) if before and not inner[place] else ""
        if why and not (after and is_simple):
            remarks[name], block = why, replace(block, gain=NAN, of_all=NAN)
        while after and is_simple and givers[first := blocks[-1].layers[0]] is not parts[first]:
            block = _joined(blocks.pop(), block, "")
        blocks.append(_joined(blocks.pop(), block, after) if after and is_simple else block)
        if giver and after == NORMED and is_simple and len(blocks) == 2 and not blocks[0].gain > 0.0:
            blocks[1], why = of_any_scale(blocks[1], giver)  # the first may be an embedding
            remarks |= {blocks[1].name: why} if why else {}

    remarks |= not_let_pass(blocks) | mark_branches(blocks, functools.partial(_between, parts, sources))
    layers = silenced(layers, blocks, parts, module)
    origin = origin_of(calls)
    kinds = {
        part.name: f"{part.kind}{COMPOSITE if part.children else ''}" for part in parts if not is_pooling(part.kind)
    }
    time, ends = TimeSteps.of(calls, parts, module), set(range(len(parts))).difference(*taken)
    return Measurement(
        layers,
        blocks,
        loss,
        origin=origin,
        is_started=calls[0].is_gradient_finite or all(parts[k].is_gradient_finite for k in ends),
        loop=time.loop,
        is_read_early=time.is_read_early,
        recurrent=time.recurrent,
        scales=scales_within(module, kinds),
        unreached="" if origin is not None else unreached(calls, module),
        unseen=unseen(parts, sources, paths, module),
        beside=weights_beside(parts, module),
        remarks=remarks | time.remarks,
        dead=[] if origin is not None else dead_within(calls, module, graph),
    )


def _between(parts: Sequence[Call], sources: Sequence[int | None], first: int, last: int) -> float:
    """Return the gain of several parts in a row."""
    source = sources[first]
    return NAN if source is None else gain_of(parts[last], parts[source].gradient_square)


def _joined(layer: AuditedBlock, other: AuditedBlock, after: str) -> AuditedBlock:
    """Return a layer with what is after it: its activation, or a batch norm, which divides out the scale of weights.

    The spread of a layer is that of weights and slopes together, so that an activation adds none.
    """
    spread = layer.spread if other.kind in _activations() else math.hypot(layer.spread, other.spread)
    both, kind = layer.layers + other.layers, layer.kind + after
    return replace(
        layer, gain=layer.gain * other.gain, spread=spread, layers=both, kind=kind, least_spread=spread,
        is_inner=other.is_inner, lets_pass=layer.lets_pass * other.lets_pass, of_all=layer.in_branch * other.in_branch,
    )  # fmt: skip


@functools.cache
def _activations() -> frozenset[str]:
    """Return the names of PyTorch's activations, entry by entry."""
    from torch.nn.modules import activation

    others = {"GLU", "LogSoftmax", "MultiheadAttention", "Softmax", "Softmax2d", "Softmin"}
    return frozenset(activation.__all__) - others


def _spread(part: Call, before: Call) -> float:
    """Return a rough standard deviation of log(gain): that of relu layers of these widths."""
    return spread_of_gain(_RELU, part.width, before.width)


def _layer(
    call: Call, before: Call, name: str, gain: float, share: float, gradients: dict[str, list[Array]],
    spread: float,
) -> AuditedLayer:  # fmt: skip
    inside = (each for path, each in gradients.items() if path == call.name or path.startswith(f"{call.name}."))
    own = [gradient for each in inside for gradient in each]
    return AuditedLayer(
        name=name,
        kind=call.kind,
        gain=gain,
        share_above_1=share,
        mean_square_a=call.square / call.size if call.size else NAN,
        dead=call.gave_still,
        gradient_norm=math.hypot(*(float(np.linalg.norm(each)) for each in own)) if own else NAN,
        gradient_sizes=GradientSizes.of(own) if own else None,
        spread=spread,
        is_measured_only=True,
        is_finite=call.is_finite,
        is_gradient_finite=all(each.is_gradient_finite for each in (call, before))
        and all(np.isfinite(each).all() for each in own),
    )
