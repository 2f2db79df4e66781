"""The rule by which GradScaler of PyTorch finds a loss scale while it trains."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_count, read_positive_array, read_positive_float
from gradtheory.errors import InvalidArgument
from gradtheory.random_weights.precision.loss_scale import LossScale
from gradtheory.typing import ArrayLike, NumberLike

_MOST_STEPS = 10_000_000
_GREATEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True, repr=False, eq=False)
class ScalerRun(ShownAsTable):
    """What the rule did, step by step.

    Attributes
    ----------
    scales : ndarray of shape (n,)
        The loss scale of each step.
    is_skipped : ndarray of bool of shape (n,)
        Whether a gradient overflowed, so that the step was not taken.

    """

    scales: Array
    is_skipped: np.ndarray[Any, np.dtype[np.bool_]]

    def __repr__(self) -> str:
        return f"{len(self.scales)} steps, {int(self.is_skipped.sum())} skipped, last scale {self.scales[-1]:.6g}"


def grad_scaler(
    most: LossScale | ArrayLike,
    steps: int = 10_000,
    *,
    initial: NumberLike = 2**16,
    growth_factor: NumberLike = 2,
    backoff_factor: NumberLike = 0.5,
    growth_interval: int = 2000,
) -> ScalerRun:
    r"""Follow GradScaler: a step that overflows is skipped and the scale halved; after 2,000 others it is doubled.

    With the same gradients at every step the scale comes to the largest power of 2 (times `initial`) below `most`, and
    one step in 2,001 tries twice that and is skipped: every other step has a scale between `most`/2 and `most`.
    PyTorch keeps the scale as a float32, which it is rounded to here, too: it stays at 2¹²⁷ where `most` is beyond, and
    falls to 0 where `most` is below 2⁻¹⁴⁹. From 2⁻¹²⁸ down gradients overflow as PyTorch multiplies them with its
    reciprocal, which the rule does not see.

    Parameters
    ----------
    most : LossScale, number or array_like of shape (n,)
        The scale from which on a gradient overflows, in each step or in all of them.
    steps : int
        How many, where `most` is the same in all.
    initial, growth_factor, backoff_factor, growth_interval
        As in ``torch.amp.GradScaler``.

    Returns
    -------
    ScalerRun

    Raises
    ------
    InvalidArgument
        If an argument is out of range.

    References
    ----------
    PyTorch, ``torch.amp.GradScaler``; P. Micikevicius et al., "Mixed precision training" (2018), section 3.2.

    Examples
    --------
    >>> run = grad_scaler(1000.0, steps=6000)
    >>> run
    6000 steps, 9 skipped, last scale 512
    >>> run.scales[:8].tolist()
    [65536.0, 32768.0, 16384.0, 8192.0, 4096.0, 2048.0, 1024.0, 512.0]

    """
    limit = np.asarray(most.most) if isinstance(most, LossScale) else read_positive_array(most, "most")
    if limit.ndim > 1 or not limit.size:
        raise InvalidArgument("most.shape", limit.shape, "must be () or (steps,), with a step or more")
    many = limit.size if limit.ndim else read_count(steps, "steps", _MOST_STEPS)
    scale, up = read_positive_float(initial, "initial"), read_positive_float(growth_factor, "growth_factor")
    down = read_positive_float(backoff_factor, "backoff_factor")
    interval = read_count(growth_interval, "growth_interval", _MOST_STEPS)
    if scale > _GREATEST:
        raise InvalidArgument("initial", initial, "must be at most 3.4e38, as PyTorch keeps the scale as a float32")
    if up <= 1.0:
        raise InvalidArgument("growth_factor", growth_factor, "must be more than 1, such as 2")
    if down >= 1.0:
        raise InvalidArgument("backoff_factor", backoff_factor, "must be less than 1, such as 0.5")
    scales, skipped, tracker = np.empty(many), np.zeros(many, dtype=bool), 0
    scale = _rounded(scale)
    for step, overflows_at in enumerate(np.broadcast_to(limit, many).tolist()):
        scales[step] = scale
        if scale >= overflows_at:
            skipped[step], tracker = True, 0
            scale = _rounded(scale * down)
        elif (tracker := tracker + 1) == interval:
            tracker = 0
            scale = larger if (larger := _rounded(scale * up)) < np.inf else scale
    return ScalerRun(scales, skipped)


def _rounded(scale: float) -> float:
    with np.errstate(over="ignore"):
        return float(np.float32(scale))
