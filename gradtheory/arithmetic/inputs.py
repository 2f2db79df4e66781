# Above 300 lines: every kind of number that is read, so that all have one door.
"""Validation of arguments: each function returns what it was asked to read, or raises InvalidArgument.

The message names the argument, its value and the rule it breaks. Exact numbers are read from int, Fraction, Decimal,
str ("0.3", "3/10", "1e-20"), SymPy numbers, and float (NumPy scalars too), which stands for its exact binary value.
Text is matched against one pattern and never evaluated.
"""

from __future__ import annotations  # they name NumPy, which is loaded where arrays are computed with

import math
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import sympy

from gradtheory.arithmetic import factors  # noqa: F401  # before SymPy takes roots of exact numbers
from gradtheory.arithmetic.later import np
from gradtheory.errors import InvalidArgument

if TYPE_CHECKING:
    Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

_LONGEST_NUMBER = 1_000  # digits before or after the point: so that exact answers stay quick and printable
_DEEPEST = 100_000  # layers
_MOST_DIGITS = 100_000
_WIDEST = 10_000_000
_LARGEST_SEED = 2**64 - 1
DIGITS = 1_000  # at which a comparison is given up, unless the caller says otherwise
_UNEVALUATED = sympy.Sum, sympy.Product, sympy.Integral, sympy.Derivative, sympy.Limit
_DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,6})?", re.ASCII)
_FRACTION = re.compile(r"([+-]?\d+)\s*/\s*(\d+)", re.ASCII)
_EXAMPLES = "such as 7, 0.3, '0.3', '3/10' or sympy.sqrt(2)"


def __getattr__(name: str) -> Any:
    """Return the type of arrays of float64, for those who ask: exact numbers need no NumPy."""
    if name == "Array":
        return np.ndarray[Any, np.dtype[np.float64]]
    raise AttributeError(name)


# Exact numbers


def read_real(value: Any, name: str) -> sympy.Expr:
    """Return a finite real number as an exact SymPy number.

    Parameters
    ----------
    value : int, Fraction, Decimal, str, SymPy number or float
        A float is taken at its exact binary value: 0.1 becomes 3602879701896397/36028797018963968, '0.1' is 1/10.
    name : str
        The argument's name, for the message.

    Raises
    ------
    InvalidArgument
        If the value is not one finite real number.

    Examples
    --------
    >>> read_real("0.3", "w"), read_real(0.5, "w"), read_real("1e-3", "w")
    (3/10, 1/2, 1/1000)

    """
    is_scalar = getattr(value, "ndim", None) == 0 and hasattr(value, "item")  # of NumPy, or a 0-d array, but no dtype
    if is_scalar and not getattr(value, "mask", False):
        value = value.item()
    match value:
        case bool():
            pass
        case sympy.Basic():
            return _exact_sympy(value, name)
        case Integral() | Fraction():
            return _of_bounded_size(sympy.Rational(int(value.numerator), int(value.denominator)), value, name)
        case Decimal():
            return _exact_decimal(value, value, name)
        case Real() if hasattr(value, "as_integer_ratio"):
            if not math.isfinite(value):
                raise InvalidArgument(name, value, f"must be a finite real number, {_EXAMPLES}")
            return sympy.Rational(*value.as_integer_ratio())
        case str():
            return _exact_text(value, name)
    raise InvalidArgument(name, value, f"must be one real number, {_EXAMPLES}")


def read_positive(value: Any, name: str) -> sympy.Expr:
    """Return a positive number as an exact SymPy number; accepted are the same types as by `read_real`."""
    number = read_real(value, name)
    if number.is_positive is not True:
        raise InvalidArgument(name, value, "must be positive, such as 1")
    return number


def read_nonnegative(value: Any, name: str) -> sympy.Expr:
    """Return a number that is not negative as an exact SymPy number; accepted are the same types as by `read_real`."""
    number = read_real(value, name)
    if number.is_nonnegative is not True:
        raise InvalidArgument(name, value, "must not be negative, such as 0 or 1")
    return number


def read_exact_parameters(value: Any, name: str, depth: int) -> list[sympy.Expr]:
    """Return weights or biases of a chain as exact numbers."""
    numbers = read_layers(value, name, depth, f"a sequence of {depth} numbers")
    return [read_real(number, f"{name}[{layer}]") for layer, number in enumerate(numbers, start=1)]


def _exact_sympy(value: sympy.Basic, name: str) -> sympy.Expr:
    if value.has(*_UNEVALUATED):
        raise InvalidArgument(name, value, f"must be a finite real number, evaluated, {_EXAMPLES}")
    if isinstance(value, sympy.Expr) and value.free_symbols:
        raise InvalidArgument(name, value, f"must be a number without symbols, {_EXAMPLES}")
    for part in sympy.preorder_traversal(value):
        if part.is_Rational:
            _of_bounded_size(part, value, name)
        elif part.is_Pow and part.exp.is_Rational and abs(part.exp) > _LONGEST_NUMBER:
            raise InvalidArgument(name, "a power", f"must have exponents of at most {_LONGEST_NUMBER}")
    if not (isinstance(value, sympy.Expr) and value.is_number and value.is_extended_real and value.is_finite):
        raise InvalidArgument(name, value, f"must be a finite real number, {_EXAMPLES}")
    return value.xreplace({number: sympy.Rational(number) for number in value.atoms(sympy.Float)})


def _exact_text(text: str, name: str) -> sympy.Expr:
    stripped = text.strip()
    if len(stripped) <= _LONGEST_NUMBER:
        if _DECIMAL.fullmatch(stripped):
            return _exact_decimal(Decimal(stripped), text, name)
        if match := _FRACTION.fullmatch(stripped):
            numerator, denominator = (int(Decimal(part)) for part in match.groups())
            if denominator:
                return _of_bounded_size(sympy.Rational(numerator, denominator), text, name)
    raise InvalidArgument(name, text, f"must be one finite real number as text, {_EXAMPLES}")


def _exact_decimal(number: Decimal, original: Any, name: str) -> sympy.Expr:
    if not number.is_finite():
        raise InvalidArgument(name, original, f"must be a finite real number, {_EXAMPLES}")
    if number and abs(number.adjusted()) > _LONGEST_NUMBER:
        raise InvalidArgument(name, original, f"must have at most {_LONGEST_NUMBER} digits before or after the point")
    return _of_bounded_size(sympy.Rational(*number.as_integer_ratio()), original, name)


def _of_bounded_size(number: sympy.Rational, original: Any, name: str) -> sympy.Rational:
    if max(abs(int(number.p)).bit_length(), int(number.q).bit_length()) > _LONGEST_NUMBER * math.log2(10):
        raise InvalidArgument(name, original, f"must have at most {_LONGEST_NUMBER} digits before or after the point")
    return number


# One float


def read_float(value: Any, name: str) -> float:
    """Return one finite real number as a float."""
    return _float(read_finite_array(value, name), name, value)


def read_near_float(value: Any, name: str) -> float:
    """Return the float64 near an exact number, of which there is one unless it is too large or too small."""
    near = float(number := read_real(value, name))
    if math.isinf(near) or (near == 0.0 and number != 0):
        raise InvalidArgument(name, value, "must be within the range of float64, such as 7, 0.3 or 3/10")
    return near


def read_positive_float(value: Any, name: str) -> float:
    """Return one positive finite number as a float."""
    return _float(read_positive_array(value, name), name, value)


def read_nonnegative_float(value: Any, name: str) -> float:
    """Return one finite number that is not negative as a float."""
    return _float(read_nonnegative_array(value, name), name, value)


def _float(array: Array, name: str, value: Any) -> float:
    if array.ndim:
        raise InvalidArgument(name, value, "must be one number, such as 1")
    return float(array)


# Arrays of floats


def read_array(value: Any, name: str) -> Array:
    """Return an array_like of real numbers as float64: no text, no booleans, no objects, no ragged lists."""
    with np.errstate(over="ignore"):  # of a long double
        return read_real_array(value, name).astype(np.float64, copy=False)


def read_real_array(value: Any, name: str) -> np.ndarray:
    """Return an array_like of real numbers as an array of the type that NumPy gives it."""
    try:
        array = np.asarray(_known(value, name))
    except InvalidArgument:
        raise
    except (ValueError, TypeError, RuntimeError):  # ragged nesting, or an object that breaks off, as tensors do
        array = np.asarray(None)
    if array.dtype.kind not in "iuf" and (array.size or not isinstance(value, Sequence | np.ndarray)):
        raise InvalidArgument(name, value, "must be an array of real numbers, such as 0.5 or [0.5, -1.0]")
    return array


def _known(value: Any, name: str) -> Any:
    """Return what NumPy reads of arrays and tensors, in lists, too: their numbers, of which none is masked."""
    if isinstance(value, list | tuple) and value and (isinstance(value[0], np.ndarray) or hasattr(value[0], "detach")):
        return [_known(each, name) for each in value]
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        rule = "must have no masked entries, whose numbers are not known: leave them out, or fill them in"
        raise InvalidArgument(name, value, rule)
    return detached(value)


def detached(value: Any) -> Any:
    """Return what a tensor of PyTorch holds, where a gradient is attached to it; NumPy has no bfloat16."""
    if not hasattr(value, "detach"):
        return value
    tensor = value.detach()
    tensor = tensor.cpu() if hasattr(tensor, "cpu") else tensor
    return tensor.float() if str(getattr(tensor, "dtype", "")) == "torch.bfloat16" else tensor


def read_finite_array(value: Any, name: str) -> Array:
    """Return an array_like of finite real numbers as float64."""
    array = read_array(value, name)
    if not np.logical_and.reduce(good := np.isfinite(array), axis=None):
        raise InvalidArgument(name, value, "must be finite in float64: it holds nan or inf" + _first_entry(array, good))
    return array


def read_positive_array(value: Any, name: str) -> Array:
    """Return an array_like of positive finite numbers as float64."""
    return _read_array_where(value, name, lambda array: array > 0.0, "must be positive, such as 1")


def read_nonnegative_array(value: Any, name: str) -> Array:
    """Return an array_like of finite numbers that are not negative as float64."""
    return _read_array_where(value, name, lambda array: array >= 0.0, "must not be negative, such as 0 or 1")


def broadcast(**arrays: Array) -> tuple[Array, ...]:
    """Return arrays broadcast to their common shape."""
    try:
        return tuple(np.broadcast_arrays(*arrays.values()))
    except ValueError:
        shapes = tuple(map(np.shape, arrays.values()))
        raise InvalidArgument(f"shapes of {', '.join(arrays)}", shapes, "must broadcast") from None


def read_samples(x: Any, y: Any) -> tuple[Array, Array]:
    """Return inputs and targets as two finite float64 arrays of shape (n,)."""
    inputs, targets = broadcast(x=read_finite_array(x, "x"), y=read_finite_array(y, "y"))
    return np.ravel(inputs), np.ravel(targets)


def read_parameters(value: Any, name: str, depth: int) -> Array:
    """Return weights or biases of a chain as a finite float64 array of shape (L,)."""
    array = read_finite_array(value, name)
    if array.shape != (depth,):
        raise InvalidArgument(f"{name}.shape", array.shape, f"must be ({depth},): one entry per layer")
    return array


def _read_array_where(value: Any, name: str, holds: Callable[[Array], Any], rule: str) -> Array:
    if isinstance(value, sympy.Expr | str | Decimal | Fraction):
        value = read_near_float(value, name)
    array = read_array(value, name)
    good = np.isfinite(array) & holds(array)
    if not good.all():
        rule += "" if np.isfinite(array).all() else ", and finite"
        raise InvalidArgument(name, value, rule + _first_entry(array, good))
    return array


def _first_entry(array: Array, good: np.ndarray) -> str:
    """Return which entry of an array is the first that breaks a rule; nothing of a number."""
    first = np.argmin(good)
    place = [int(index) for index in np.unravel_index(first, array.shape)]
    return f"; entry {place} is {float(array.flat[first])!r}" if place else ""


# Counts, choices and sequences


def read_bits(digits: Any) -> int:
    """Return how many bits make a number of decimal digits, which must be from 10 to 100,000."""
    if is_int(digits) and 10 <= int(digits) <= _MOST_DIGITS:
        return math.ceil(int(digits) * math.log2(10))
    raise InvalidArgument("digits", digits, f"must be an int from 10 to {_MOST_DIGITS}, such as {DIGITS}")


def read_count(value: Any, name: str, most: int, *, least: int = 1) -> int:
    """Return an int from `least` to `most`."""
    if is_int(value) and least <= int(value) <= most:
        return int(value)
    raise InvalidArgument(name, value, f"must be an int from {least} to {most}")


def is_int(value: Any) -> bool:
    """Return whether a value is an integer of Python, NumPy or SymPy: no boolean, and no timedelta64."""
    return isinstance(value, Integral) and not isinstance(value, bool) and hasattr(value, "__index__")


def read_fan(value: Any, name: str) -> int:
    """Return a number of neurons: an int from 1 to 10,000,000."""
    return read_count(value, name, _WIDEST)


def read_depth(depth: Any) -> int:
    """Return a number of layers: an int from 1 to 100,000."""
    return read_count(depth, "depth", _DEEPEST)


def read_chain_depth(value: Any) -> int | sympy.Symbol:
    """Return the depth of a chain: a positive int, or an integer symbol for a chain of symbolic depth."""
    if isinstance(value, sympy.Symbol):
        if value.is_integer and value.is_positive is not False:
            return value
    elif is_int(value) and 1 <= int(value) <= _DEEPEST:
        return int(value)
    raise InvalidArgument(
        "depth", value, f"must be an int from 1 to {_DEEPEST}, or a SymPy symbol such as Symbol('L', integer=True)"
    )


def read_seed(value: Any) -> int:
    """Return a seed of NumPy's generators: an int that is not negative."""
    return read_count(value, "seed", _LARGEST_SEED, least=0)


def read_layers(value: Any, name: str, depth: int | sympy.Symbol, kind: str) -> Sequence[Any] | np.ndarray:
    """Return a sequence of one item per layer; `kind` says what it must be, such as "a sequence of 3 numbers"."""
    is_array = isinstance(value, np.ndarray) and value.ndim > 0
    if (is_array or (isinstance(value, Sequence) and not isinstance(value, str))) and len(value) == depth:
        return value  # type: ignore[no-any-return]  # one of the two, as was just checked
    raise InvalidArgument(name, value, f"must be {kind}, one per layer")
