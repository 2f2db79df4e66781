"""How the gradient of an architecture grows with its depth: exponentially, as a power, or not at all."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.guarantee import Estimate
from gradtheory.arithmetic.inputs import Array
from gradtheory.errors import Undecided

_DEPTHS = tuple(2**k for k in range(2, 12))
_FEWEST = 4
_BOUNDED = 0.02  # of log G: what a doubling of the depth changes at most where it has a limit
_SAME = 0.02  # by how much exponents may differ from a whole law
_REMAINS = 4.0  # what the last doubling changed, times this, is more than what is left where it fades as L^(-1/2)
_LATEST = 3
_NOISE = 1e-6  # of exponents at depths that are not followed layer by layer
_SLOW = 0.78  # of one change and the one before: 0.71 where exponents approach their limit as L^(-1/2), 0.83 as 1/log L


@dataclass(frozen=True, repr=False)
class Growth(ShownAsTable):
    """By what the mean square of the gradient is multiplied from the end of a network of L layers to its start.

    Attributes
    ----------
    kind : str
        "exponential", "stretched exponential", "power law" or "none".
    rate : Estimate
        Of an exponential law the factor per layer, e^λ; of a stretched one s in log G ~ L^s; of a power law its
        exponent; else G itself. It is less than 1, or negative, where gradients vanish. Residual connections around
        a norm have a power law, whose exponent is that in the limit: tokens become alike slowly, so that `logs` may
        still grow by another.
    depths, logs : tuple
        The depths that were computed, and log G at each.

    """

    kind: str
    rate: Estimate
    depths: tuple[int, ...]
    logs: tuple[float, ...]

    def __repr__(self) -> str:
        digits = f"{self.rate:.3f}" if self.kind in ("stretched exponential", "power law") else f"{self.rate:.6g}"
        law = {
            "exponential": f"{digits}^L",
            "stretched exponential": f"exp(c·L^{digits})",
            "power law": f"L^{digits}",
            "none": digits,
        }
        return f"{self.kind}: mean square ~ {law[self.kind]} (numeric, ± {self.rate.error_of(digits)})"


def growth_law(
    log_gradients: Callable[[Sequence[int]], Sequence[float]],
    logs_beyond: Callable[[int], Sequence[float]],
    power: Estimate | None = None,
) -> Growth:
    """Return the law of log G(L), from depths that double as far as floats reach, or the power law that is known.

    Where log G(2L) - log G(L) doubles with L the law is exponential, where it stays the same a power, where it is
    multiplied by 2^s stretched, and where it fades there is none. The error is what the last doublings say differently,
    times as much as is left where factors and G approach their limits as L^(-1/2), and s and exponents as 1/log(cL).
    These come from depths beyond, as far as `logs_beyond` says what further doublings add.
    """
    logs = np.array(log_gradients(_DEPTHS))
    if len(logs) < _FEWEST:
        lost = f"the variance leaves float64 within {_DEPTHS[len(logs)]} layers"
        raise Undecided(f"{lost}: take scales that change it less")
    steps, depths = np.diff(logs), np.array(_DEPTHS[: len(logs)], dtype=float)
    known = _DEPTHS[: len(logs)], tuple(map(float, logs))
    if power is not None:
        return Growth("power law", power, *known)
    if abs(steps[-1]) <= _BOUNDED and abs(steps[-1]) <= abs(steps[-2]) + 1e-13 * depths[-1]:
        last = math.exp(logs[-1])
        return Growth("none", Estimate(last, last * _REMAINS * float(abs(steps[-1]))), *known)
    with np.errstate(all="ignore"):
        order = np.log2(steps[1:] / steps[:-1])  # s of L^s
    if abs(order[-1] - 1.0) <= _SAME:
        rates = np.exp(steps / depths[:-1])
        return Growth(
            "exponential", Estimate(rates[-1], _REMAINS * abs(rates[-1] - rates[-2]) + 1e-12 * rates[-1]), *known
        )
    steps = np.append(steps, logs_beyond(_DEPTHS[len(logs) - 1]))
    last, is_power = depths[0] * 2.0 ** len(steps), abs(order[-1]) <= _SAME
    if is_power:
        powers = steps / math.log(2.0)
        return Growth("power law", Estimate(powers[-1], _left(powers, last)), *known)
    with np.errstate(all="ignore"):
        order = np.log2(steps[1:] / steps[:-1])
    error = _left(order, last)
    if not error < 1.0:
        raise Undecided(f"the gradient follows no law within {last:,.0f} layers: propagate says what it does there")
    return Growth("stretched exponential", Estimate(order[-1], error), *known)


def _left(exponents: Array, depth: float) -> float:
    """Return by how much more exponents may change, that have changed by less and less with each doubling.

    As 1/k after k doublings a change times k is left; twice that, where changes fade so slowly, is so, too, where the
    law begins as many doublings before L = 1. The last one may be small by chance, where exponents turn.
    """
    changes = np.abs(np.diff(exponents))
    is_slow = len(changes) < 2 or changes[-1] > _SLOW * changes[-2]
    return float((2.0 if is_slow else 1.0) * math.log2(depth) * changes[-_LATEST:].max()) + _NOISE
