"""Arrays of numbers with their errors."""

from typing import Any, SupportsIndex

import numpy as np

from gradtheory.arithmetic.brief import shape_and_range, shown_error
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.arithmetic.inputs import Array

_MOST_SHOWN = 8


class Estimates(np.ndarray[Any, np.dtype[np.float64]]):
    """An array of float64 with bounds of their absolute errors; in arithmetic it is an array like any other.

    What is taken from it by an index keeps its error: one number is an `Estimate`. Sums, products and functions of it
    are plain arrays, as those of an `Estimate` are plain floats.

    Parameters
    ----------
    values : array_like of shape (…)
    error : array_like
        How far each true number may be, broadcast to the shape of `values`; nan where nothing is known.
    guarantee : Guarantee

    Examples
    --------
    >>> halves = Estimates([0.5, 1.5], 1e-16)
    >>> halves[1], halves.error
    (1.5 ± 1e-16 (numeric), array([1.e-16, 1.e-16]))
    >>> 2 * halves
    array([1., 3.])

    """

    error: Array
    guarantee: Guarantee

    def __new__(cls, values: Any, error: Any, guarantee: Guarantee = Guarantee.NUMERIC) -> "Estimates":
        """Return the array with its errors."""
        plain = np.array(values, dtype=np.float64)
        self = plain.view(cls)
        self.error = np.broadcast_to(np.asarray(error, dtype=np.float64), plain.shape)
        self.guarantee = guarantee
        return self

    def __array_finalize__(self, source: Any) -> None:
        """Know no errors: NumPy does not say which of the numbers a view takes, nor in what order."""
        self._forget()
        self.guarantee = getattr(source, "guarantee", Guarantee.NUMERIC)

    def __getitem__(self, index: Any) -> Any:
        """Return numbers with their errors."""
        values, error = self.plain[index], self.error[index]
        kind = Estimates if np.ndim(values) else Estimate
        return kind(values, error, self.guarantee)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Write numbers, of whose errors nothing is known."""
        self.plain[index] = value
        self._forget()

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        """Compute with the plain arrays."""
        if "out" in options:
            for target in options["out"]:
                if isinstance(target, Estimates):
                    target._forget()
            options["out"] = tuple(_plain(each) for each in options["out"])
        return getattr(ufunc, method)(*map(_plain, inputs), **options)

    def sort(
        self, axis: SupportsIndex = -1, kind: Any = None, order: Any = None, *, stable: bool | None = None
    ) -> None:
        """Sort the numbers in place, and forget their errors."""
        self.plain.sort(axis=axis, kind=kind, order=order, stable=stable)
        self._forget()

    def _forget(self) -> None:
        self.error = np.full(self.shape, np.nan)

    def reshape(self, *shape: Any, **options: Any) -> "Estimates":
        """Return the same numbers, with their errors, in another shape."""
        return Estimates(self.plain.reshape(*shape, **options), self.error.reshape(*shape, **options), self.guarantee)

    def copy(self, order: Any = "C") -> "Estimates":
        """Return a copy with its errors."""
        return Estimates(self.plain.copy(order), self.error, self.guarantee)

    def round(self, decimals: SupportsIndex = 0, out: Any = None) -> Any:
        """Return plain numbers, rounded."""
        return self.plain.round(decimals, out)

    @property
    def plain(self) -> Array:
        """The array without its errors."""
        return self.view(np.ndarray)

    def __repr__(self) -> str:
        if self.size > _MOST_SHOWN:
            greatest = shown_error(float(np.max(self.error)))
            return f"Estimates({shape_and_range(self.plain)} ± {greatest}, {self.guarantee.value})"
        numbers = np.array2string(self.plain, separator=", ", floatmode="unique")  # all digits that the errors are of
        pairs = zip(self.plain.ravel().tolist(), self.error.ravel().tolist(), strict=True)
        errors = (Estimate(value, error).error_of(repr(value)) for value, error in pairs)
        return f"{numbers} ± {max(errors, key=float, default='0')} ({self.guarantee.value})"

    def __reduce__(self) -> Any:
        return type(self), (self.plain, np.array(self.error), self.guarantee)


def _plain(array: Any) -> Any:
    return array.plain if isinstance(array, Estimates) else array


def estimated(values: Array, error: Array, guarantee: Guarantee = Guarantee.NUMERIC) -> Estimate | Estimates:
    """Return an `Estimate` of one number, and `Estimates` of an array.

    Examples
    --------
    >>> estimated(np.array(0.5), np.array(1e-16))
    0.5 ± 1e-16 (numeric)

    """
    if np.ndim(values):
        return Estimates(values, error, guarantee)
    return Estimate(float(values), float(error), guarantee)
