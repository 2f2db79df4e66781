"""Weights within the parts of a measured module, held against those of parts of the same kind, and recurrent ones."""

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from gradtheory.audits.layers import MADE_ALIKE, MUCH, NAN, OutOfScale
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.tensors import as_real, square_sum

_FREE = 1e-4  # of what chance makes of a cosine; rounding in float32 makes 1e-6 of it
OF_THE_LAST = "that is what becomes of the gradient that enters at the last step, though it enters at others, too"
_GATES = {"LSTM": "forget", "GRU": "update"}


def recurrent_scale(module: Any, call: Call) -> str:
    """Return how large the weights are by which a recurrent part goes from one time step to the next.

    Before that stands which gradient is followed there, if it enters at several steps.
    """
    part = module.get_submodule(call.name)
    weights = {name: getattr(part, name) for name in ("weight_ih_l0", "weight_hh_l0")}
    scales = [
        f"{name} has σ_w = {math.sqrt(w.shape[1] * float(square_sum(w)) / max(1, w.numel())):.3g}"
        for name, w in weights.items()
    ]
    gate = _GATES.get(part.mode)
    told = [OF_THE_LAST] if call.unrolled is not None and len(call.unrolled.read) > 1 else []
    return "; ".join([*told, *scales, *([] if gate is None else [_keeps(part, gate)])])


def _keeps(part: Any, gate: str) -> str:
    """Return which share of its state a gated unit hands to the next time step where its bias alone decides.

    In PyTorch both have that gate as their second: the forget gate of LSTM, and that of GRU by which the state stays.
    """
    if not part.bias:
        return f"its {gate} gate has no bias: at 0 it keeps half of the state per time step"
    rows = slice(part.hidden_size, 2 * part.hidden_size)
    bias = part.bias_ih_l0.detach()[rows].double() + part.bias_hh_l0.detach()[rows].double()
    size, kept = float(bias.mean()), float(bias.sigmoid().mean())
    return f"with its biases, {size:.3g} on average, the {gate} gate keeps {kept:.3g} of the state per time step"


def scales_within(module: Any, kinds: Mapping[str, str]) -> dict[str, OutOfScale]:
    """Return, for each part with weights out of scale beside its peers, which weights, and how many times as large.

    The kinds are those of the parts, by name. Matrices are held against one another by √n_in times their entries, and
    by √n_out, as some schemes have it: what is least out of scale counts.
    """
    sizes: dict[tuple[str, str], dict[str, tuple[float, float]]] = {}
    steps: dict[tuple[str, str], dict[str, float]] = {}
    for part, kind in kinds.items():
        for name, parameter in module.get_submodule(part).named_parameters():
            sizes.setdefault((kind, name), {})[part] = _sizes(parameter)
            steps.setdefault((kind, name), {})[part] = _step(parameter)
    largest: dict[str, OutOfScale] = {}
    for (kind, name), by_part in sizes.items():
        usual, usual_step = (
            [median(each) for each in zip(*by_part.values(), strict=True)],
            median(steps[kind, name].values()),
        )
        for part, own in by_part.items():
            times = min(size / most if most > 0.0 else 0.0 for size, most in zip(own, usual, strict=True))
            is_small = "Norm" in kind and name == "weight" and 0.0 < times * MUCH < 1.0
            if len(by_part) >= MADE_ALIKE and (times > MUCH or is_small):
                step = steps[kind, name][part] / usual_step if usual_step > 0.0 else NAN
                is_free = _is_free(module.get_submodule(part), name)
                scales = (largest.get(part, OutOfScale(0.0, "bias")), OutOfScale(times, name, step, is_free))
                largest[part] = max(scales, key=lambda scale: ("bias" not in scale.parameter, scale.times))
    return largest


def _sizes(parameter: Any) -> tuple[float, float]:
    """Return the root mean square of weights, times √n_in and times √n_out; of a vector both are 1."""
    size, shape = math.sqrt(float(square_sum(parameter)) / max(1, parameter.numel())), parameter.shape
    fans = (math.prod(shape[1:]), shape[0] * math.prod(shape[2:])) if len(shape) > 1 else (1, 1)  # there may be no rows
    return size * math.sqrt(fans[0]), size * math.sqrt(fans[1])


def _step(parameter: Any) -> float:
    """Return the size of a gradient beside that of its parameter: which share of it a step of gradient descent is."""
    squares = 0.0 if parameter.grad is None else float(square_sum(parameter.grad))
    return math.sqrt(squares / own) if (own := float(square_sum(parameter))) > 0.0 else 0.0


def _is_free(part: Any, name: str) -> bool:
    """Return whether the loss stays as it is when a parameter is scaled, alone or with others of what holds it.

    Then the gradient by them is at a right angle to them (Euler). By chance their cosine is about 1/√n.
    """
    parameter, holder = part.get_parameter(name), part.get_submodule(name.rpartition(".")[0])
    return any(map(_is_at_right_angle, ([parameter], list(holder.parameters(recurse=False)))))


def _is_at_right_angle(parameters: Sequence[Any]) -> bool:
    own = [(each, each.grad) for each in parameters if each.grad is not None]
    if not own or any(gradient.is_sparse for _, gradient in own):
        return False
    along = sum(float((as_real(each.detach()).double() * as_real(gradient)).sum()) for each, gradient in own)
    sizes = [math.sqrt(sum(float(square_sum(each)) for each in side)) for side in zip(*own, strict=True)]
    return abs(along) * math.sqrt(sum(each.numel() for each, _ in own)) < _FREE * math.prod(sizes)
