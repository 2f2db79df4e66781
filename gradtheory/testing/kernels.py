"""Checks of other people's activation kernels and their derivatives, in units in the last place."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable, percent, shorten
from gradtheory.arithmetic.inputs import Array, read_count, read_positive_float
from gradtheory.arithmetic.kinds import read_flag, read_function
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.random_weights.floats import FLOAT_TYPES, FloatType, read_float_type
from gradtheory.testing.places import kinks, limit, turns
from gradtheory.testing.pointwise import far_out
from gradtheory.testing.reference import reference_activation
from gradtheory.testing.verdict import as_array
from gradtheory.typing import ActivationLike

_DIGITS = 25
_BITS = 200
_SHOWN = 6
_LONGEST = 100  # letters of another library's error
_NEAR = 0.25


@dataclass(frozen=True, eq=False)
class KernelErrors(ShownAsTable):
    """The errors of a kernel at adversarial points.

    Attributes
    ----------
    name : str
        What was computed, such as "σ' of gelu".
    dtype : str
        The float type.
    z, returned, exact : ndarray
        Points, what the kernel returned there, and what is right, rounded to float64.
    ulp : ndarray
        The errors in units in the last place; inf for a nan or inf that should be none, and the other way round.

    """

    name: str
    dtype: str
    z: Array
    returned: Array
    exact: Array
    ulp: Array

    @property
    def worst(self) -> float:
        """The greatest error."""
        return float(self.ulp.max())

    @property
    def worst_point(self) -> float:
        """Where it is."""
        return float(self.z[self.ulp.argmax()])

    def __repr__(self) -> str:
        share = float(np.mean(self.ulp <= 1.0))
        return (
            f"KernelErrors({self.name} in {self.dtype}: worst {self.worst:.3g} ulp at z = {self.worst_point!r}, "
            f"{percent(share)} of {len(self.z)} points within 1 ulp)"
        )


def kernel_errors(
    fn: Callable[[Any], Any],
    activation: ActivationLike,
    *,
    derivative: int = 0,
    dtype: npt.DTypeLike = "float64",
    infinities: bool = True,
) -> KernelErrors:
    """Return the errors of an activation kernel at kinks, saturation, subnormals, huge numbers, ±0.0, nan and inf.

    An error is counted in units in the last place of the exact number. Results below the least normal number may be
    flushed to 0. Around a zero z of σ' or σ'', where formulas cancel, one unit is that of the numbers min(1, |z|)/4
    beside it. σ(nan) must be nan; the limits at ±inf must be taken where there are any.

    Parameters
    ----------
    fn : callable
        Takes a NumPy array of shape (n,), returns one, or what converts to one.
    activation : str, Activation or sympy.Expr
        What it should compute.
    derivative : {0, 1, 2}
        σ, σ' or σ''. On kinks the one-sided slope that `Activation.slope` takes is right.
    dtype : {"float64", "float32", "bfloat16", "float16"}
        The float type of the argument, an array of it; bfloat16, which NumPy lacks, comes in float32, and
        what is returned is rounded to it.
    infinities : bool
        Whether z = ±inf are tried. PyTorch's silu, gelu, mish and softsign are nan at -inf.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, or fn takes no array, or changes it, or returns another shape, or no real numbers.

    Examples
    --------
    >>> kernel_errors(lambda z: 1 / (1 + np.exp(-z)), "sigmoid").worst < 4
    True
    >>> kernel_errors(lambda z: np.exp(z) / (1 + np.exp(z)), "sigmoid").worst
    inf

    """
    record = as_activation(activation)
    order = read_count(derivative, "derivative", 2, least=0)
    kind = read_float_type(dtype, FLOAT_TYPES)
    read_function(fn, "fn", "must be a function of an array")
    z, exact, unit = _expected(record, order, kind)
    if not read_flag(infinities, "infinities"):
        z, exact, unit = (each[~np.isinf(z)] for each in (z, exact, unit))
    try:
        with np.errstate(all="ignore"):  # a kernel is judged by its numbers, not by its warnings
            result = fn(given := z.astype(kind.storage))
    except Exception as error:  # a foreign function may fail in any way
        rule = (
            f"must take a NumPy array of shape (n,), as lambda z: torch.tanh(torch.from_numpy(z)) does; "
            f"it raised {type(error).__name__}: {shorten(str(error), _LONGEST)}"
        )
        raise InvalidArgument("fn", fn, rule) from error
    if not np.array_equal(given, z.astype(kind.storage), equal_nan=True):
        raise InvalidArgument("fn", fn, "must not change its argument in place: it is another's; return a new array")
    try:
        returned = as_array(result)
    except Exception as error:  # a foreign conversion may fail in any way
        raise InvalidArgument("fn", fn, f"must return an array of real numbers: {error}") from error
    if returned.shape != z.shape:
        raise InvalidArgument("fn", fn, f"must return an array of shape {z.shape}; it has {returned.shape}")
    if kind.storage.name != kind.name:
        returned = kind.rounded(returned)
    with np.errstate(all="ignore"):
        apart = np.where(returned == exact, 0.0, np.abs(returned - exact) / unit)
    both_nan = np.isnan(returned) & np.isnan(exact)
    wrong_kind = (np.isfinite(returned) != np.isfinite(exact)) | np.isnan(apart)
    ulp = np.where(both_nan, 0.0, np.where(wrong_kind, np.inf, apart))
    return KernelErrors(f"σ{order * chr(39)} of {record.name}", kind.name, z, returned, exact, ulp)


def assert_activation(
    fn: Callable[[Any], Any],
    activation: ActivationLike,
    *,
    derivative: int = 0,
    dtype: npt.DTypeLike = "float64",
    ulp: float = 4.0,
    infinities: bool = True,
) -> None:
    """Check an activation kernel, or its derivative, against numbers that are proven.

    Parameters
    ----------
    fn, activation, derivative, dtype, infinities
        As for `kernel_errors`.
    ulp : float
        How many units in the last place it may be off.

    Raises
    ------
    AssertionError
        If it is off by more somewhere. The message holds the worst point, the worst finite one if that is another, and
        a table: first the failure nearest to 0, then the worst points.

    Examples
    --------
    >>> assert_activation(np.tanh, "tanh", ulp=2)
    >>> try:
    ...     assert_activation(lambda z: np.log(1 + np.exp(z)), "softplus")
    ... except AssertionError as error:
    ...     print(str(error).splitlines()[0])
    <lambda>: σ of softplus in float64 is off by inf ulp at z = 709.7827128933841, more than 4

    """
    limit = read_positive_float(ulp, "ulp")
    errors = kernel_errors(fn, activation, derivative=derivative, dtype=dtype, infinities=infinities)
    if errors.worst > limit:
        raise AssertionError("\n".join(_message(errors, getattr(fn, "__name__", type(fn).__name__), limit)))


def _message(errors: KernelErrors, name: str, limit: float) -> Iterator[str]:
    """Yield the lines that say where a kernel is off by more than a limit."""
    fails = np.flatnonzero(errors.ulp > limit)
    yield (
        f"{name}: {errors.name} in {errors.dtype} is off by {errors.worst:.3g} ulp at z = {errors.worst_point!r}, "
        f"more than {limit:g}"
    )
    if not np.isfinite(errors.worst_point):
        place = int(np.where(np.isfinite(errors.z), errors.ulp, -1.0).argmax())
        hint = "; infinities=False leaves ±inf out" if np.isinf(errors.z[fails]).all() else ""
        yield f"at finite z it is off by {errors.ulp[place]:.3g} ulp at most, at z = {float(errors.z[place])!r}{hint}"
    if errors.dtype == "float64" and _is_float32(errors.returned) and not _is_float32(errors.exact):
        yield "All that it returned are numbers of float32: if that is meant, pass dtype='float32'."
    nearest = fails[np.nan_to_num(np.abs(errors.z[fails]), nan=np.inf).argmin()]
    worst = np.argsort(-errors.ulp, kind="stable")
    yield f"{len(fails)} of {len(errors.z)} points are, the one nearest to 0 and the worst of them:"
    yield f"{'z':>26}{'yours':>26}{'exact':>26}{'ulp':>12}"
    for place in [nearest, *worst[worst != nearest]][:_SHOWN]:
        yield (
            f"{errors.z[place]:>26.17g}{errors.returned[place]:>26.17g}{errors.exact[place]:>26.17g}"
            f"{errors.ulp[place]:>12.3g}"
        )


def _is_float32(numbers: Array) -> bool:
    with np.errstate(over="ignore"):
        return np.array_equal(numbers, numbers.astype(np.float32), equal_nan=True)


@functools.lru_cache(maxsize=64)
def _expected(record: Activation, order: int, dtype: FloatType) -> tuple[Array, Array, Array]:
    """Return the points, the exact numbers there, and what one unit in the last place is."""
    pairs = [(place, _exact(record, float(place), order)) for place in _points(record, dtype)]
    z, exact = np.array([(place, number) for place, number in pairs if number is not None]).T
    exact = np.where(np.isinf(dtype.rounded(exact)), np.copysign(np.inf, exact), exact)
    with np.errstate(all="ignore"):
        unit = dtype.unit(np.where(np.isfinite(exact), exact, 1.0))
        least = dtype.smallest_normal
        unit = np.where(np.abs(exact) < 4.0 * least, least, unit)  # may be flushed to 0
        for zero in (*_sign_changes(z, exact), *turns(record)) if order else ():
            reach = _NEAR * min(1.0, abs(zero))
            sizes = [_exact(record, zero + side * reach, order) or 0.0 for side in (-1.0, 1.0)]
            near = np.abs(z - zero) <= reach
            unit[near] = np.maximum(unit[near], dtype.eps * max(map(abs, sizes)))
    return z, exact, unit


def _points(record: Activation, dtype: FloatType) -> Array:
    """Return adversarial points, exact in a float type: in rising order with both zeros, then -inf, inf and nan."""
    greatest, least_normal = dtype.max, dtype.smallest_normal
    edges = np.log([greatest, 1.0 / least_normal, 1.0 / dtype.eps])  # where exponentials give out
    special = np.concatenate([edges, edges / 2.0, [1.0, 2.0, 20.0, 40.0, 746.0], kinks(record)])
    special = dtype.rounded(np.concatenate([special, turns(record), [0.0, greatest]]))
    with np.errstate(over="ignore"):
        around = special + np.outer([0.0, -0.5, 0.5, -1.0, 1.0, -2.0, 2.0], dtype.unit(special))
    powers = 2.0 ** np.linspace(np.log2(least_normal), np.log2(greatest) - 1e-9, 160)
    saturating = np.linspace(20.0, 1.1 * edges.max(), 200)
    grids = [np.linspace(0.0, 20.0, 321), saturating, np.logspace(-8, 3, 150), powers, [3.0 * dtype.smallest_subnormal]]
    sizes = np.concatenate([*grids, around.ravel()])
    exactly = dtype.rounded(np.concatenate([sizes, -sizes]))
    finite = np.unique(exactly[np.isfinite(exactly)])
    zeros = [-0.0, 0.0]  # they are equal, so that only one of them is among the finite points
    return np.concatenate([finite[finite < 0.0], zeros, finite[finite > 0.0], [-np.inf, np.inf, np.nan]])


def _sign_changes(z: Array, exact: Array) -> Array:
    """Return points next to which a function changes its sign."""
    return np.asarray(z[:-1][exact[:-1] * exact[1:] < 0.0])


def _exact(record: Activation, z: float, order: int) -> float | None:
    """Return the exact number, rounded to float64; at ±inf the limit; None where none is proven."""
    if np.isnan(z):
        return None if order else np.nan
    if np.isinf(z):
        return limit(record, order, to_right=z > 0)
    try:
        return float(reference_activation(record, z, derivative=order, digits=_DIGITS))
    except Undecided:
        return _far(record, z, order)


def _far(record: Activation, z: float, order: int) -> float | None:
    """Return ±inf where a number is proven to exceed float64."""
    try:
        ends = far_out(record, sympy.Rational(z), _BITS)[order]
    except Undecided:
        return None
    largest = float(np.finfo(np.float64).max)
    return np.inf if ends.lower > largest else -np.inf if ends.upper < -largest else None
