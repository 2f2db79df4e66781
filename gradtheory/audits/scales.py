"""Weights within the parts of a measured module, held against those of parts of the same kind, and recurrent ones."""

import math
from collections.abc import Mapping
from statistics import median
from typing import Any, NamedTuple

from gradtheory.audits.calls import square_sum
from gradtheory.audits.layers import MADE_ALIKE

_TIMES = 3.0


def recurrent_scale(module: Any, name: str) -> str:
    """Return how large the weights are by which a recurrent part goes from one time step to the next."""
    part = next((part for path, part in module.named_modules() if path == name), module)
    w = part.weight_hh_l0
    return f"weight_hh_l0 has σ_w = {math.sqrt(float(square_sum(w)) / w.shape[0]):.3g}"


class OutOfScale(NamedTuple):
    """Weights that are far larger than those of peers.

    Attributes
    ----------
    times : float
        How much larger.
    parameter : str
        Their name within the part.

    """

    times: float
    parameter: str

    @property
    def cause(self) -> str:
        """What they are, in words."""
        return f"its {self.parameter} is {self.times:.3g} times as large as that of its peers"


def scales_within(module: Any, kinds: Mapping[str, str]) -> dict[str, OutOfScale]:
    """Return, for each part with weights far larger than its peers have, which weights, and how much larger.

    The kinds are those of the parts, by name. Matrices are held against one another by √n_in times their entries.
    """
    sizes: dict[tuple[str, str], dict[str, float]] = {}
    for part, kind in kinds.items():
        for name, parameter in module.get_submodule(part).named_parameters():
            fan_in = math.prod(parameter.shape[1:])  # 1 for a vector; there may be no rows
            size = math.sqrt(fan_in * float(square_sum(parameter)) / max(1, parameter.numel()))
            sizes.setdefault((kind, name), {})[part] = size
    largest: dict[str, OutOfScale] = {}
    for (_, name), by_part in sizes.items():
        usual = median(by_part.values())
        for part, size in by_part.items():
            if len(by_part) >= MADE_ALIKE and size > _TIMES * usual > 0.0:
                largest[part] = max(largest.get(part, OutOfScale(0.0, "")), OutOfScale(size / usual, name))
    return largest
