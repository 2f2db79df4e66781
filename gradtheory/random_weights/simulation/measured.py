"""Means over independent repetitions, with confidence intervals."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from scipy.stats import t as student

from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.inputs import Array, read_array
from gradtheory.arithmetic.kinds import read_function
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ArrayLike

Progress: TypeAlias = Callable[[Iterable[Any]], Iterable[Any]]  # tqdm.tqdm, or rich.progress.track


def shown(work: Sequence[Any], progress: Progress | None) -> Iterable[Any]:
    """Return an iterable of the items of some work that shows how far it is."""
    if progress is None:
        return work
    rule = "must be a function of an iterable that yields its items, such as tqdm.tqdm"
    watched = read_function(progress, "progress", rule)(work)
    if not isinstance(watched, Iterable):
        raise InvalidArgument("progress", progress, rule)
    return watched


@dataclass(frozen=True)
class Measured(ShownAsTable):
    """A mean over independent repetitions: a float, or an array of them.

    Attributes
    ----------
    mean : float or ndarray
    standard_error : float or ndarray
        The standard deviation of the mean, from the spread of the repetitions; nan where a mean is infinite.
    count : int
        The number of repetitions.

    Examples
    --------
    >>> sample = Measured.of(np.array([1.0, 2.0, 3.0]))
    >>> sample
    2 ± 0.577 (n = 3)
    >>> [round(float(end), 3) for end in sample.interval()]
    [-0.484, 4.484]

    """

    mean: Any  # a float or an array, as asked for
    standard_error: Any
    count: int

    @classmethod
    def of(cls, repetitions: Array) -> "Measured":
        """Return the mean over the first axis."""
        count = len(repetitions)
        with np.errstate(all="ignore"):  # -inf is an answer: the logarithm of a gradient that is 0
            mean = np.mean(repetitions, axis=0)
            spread = np.std(repetitions, axis=0, ddof=1) / math.sqrt(count) if count > 1 else np.full_like(mean, np.nan)
        return cls(mean[()], spread[()], count)

    def interval(self, confidence: float = 0.95) -> tuple[Any, Any]:
        """Return the ends of Student's confidence interval."""
        if not 0.0 < confidence < 1.0:
            raise InvalidArgument("confidence", confidence, "must lie between 0 and 1, such as 0.95")
        reach = student.ppf((1.0 + confidence) / 2.0, self.count - 1) * self.standard_error
        return self.mean - reach, self.mean + reach

    def deviation(self, theory: ArrayLike) -> Any:
        """Return by how many standard errors the mean differs from a theoretical value, with its sign.

        What `propagate` gives has a row more than a simulation: `variance[1:]`, `correlation[1:]` and `gradient[:-1]`
        belong to it.
        """
        value, shape = read_array(theory, "theory"), np.shape(self.mean)
        try:
            np.broadcast_shapes(value.shape, shape)
        except ValueError:
            rule = f"must have the shape {shape} of the mean, not {value.shape}"
            if value.shape == (shape[0] + 1,):
                rule += ": of propagate take variance[1:], correlation[1:] or gradient[:-1]"
            raise InvalidArgument("theory", theory, rule) from None
        with np.errstate(all="ignore"):  # of infinite means: nan
            return (self.mean - value) / self.standard_error

    def __repr__(self) -> str:
        if np.ndim(self.mean):
            return f"Measured of shape {np.shape(self.mean)} (n = {self.count})"
        return f"{self.mean:.6g} ± {self.standard_error:.3g} (n = {self.count})"
