"""Results as programs read them, docs/json.md, and as people do: numbers beside their exact forms."""

import dataclasses
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import gradtheory as gt
from gradtheory.cli.words import said

_SHORT, _OF_FLOATS = 6, 15  # digits beside an exact form, and those that float64 has
_MORE = _OF_FLOATS, 2 * _OF_FLOATS, 4 * _OF_FLOATS  # digits where fewer do not tell two numbers apart


@dataclass(frozen=True)
class Digits:
    """An exact number of which so many proven digits are shown."""

    number: Any
    digits: int

    @property
    def decimal(self) -> str:
        """The digits, as programs are told them."""
        from gradtheory.arithmetic.guarantee import decimal

        return decimal(self.number, self.digits)

    def __str__(self) -> str:
        return self.decimal.replace("oo", "∞")


@dataclass(frozen=True)
class Solutions:
    """A set of numbers, which people read as an inequality in a variable."""

    numbers: Any
    variable: str

    def __str__(self) -> str:
        ends = [end for part in _parts(self.numbers) for end in (part.lower, part.upper)]
        if gt.guarantee(self.numbers) is not gt.Guarantee.EXACT:  # no form says more than digits do
            return _inequality(self.numbers, self.variable, _OF_FLOATS)
        inequality = _inequality(self.numbers, self.variable)
        if not any(map(_in_digits, ends)):
            return inequality
        return f"{inequality}, exactly {_inequality(self.numbers, self.variable, None)}"


def as_json(value: Any) -> Any:  # noqa: PLR0911, PLR0912  # one for each type
    """Return any result as JSON takes it: the one place that says how.

    An exact or certified number is an object with its value in float64, its exact form and its guarantee, a set a list
    of intervals; what is float64 to begin with is a plain number.
    """
    import numpy as np
    import sympy

    match value:
        case None | bool() | str():
            return value
        case Digits():
            return as_json(value.number) | {"digits": value.decimal}
        case Solutions():
            return as_json(value.numbers)
        case gt.Estimate():
            return _number(float(value), guarantee=value.guarantee.value, error=_plain(value.error))
        case np.ndarray() | np.generic():
            return _plain(value.tolist())
        case int() | float():
            return _plain(value)
        case Enum():
            return value.value
        case PurePath():
            return str(value)
        case sympy.Set():
            return [_interval(part) for part in _parts(value)]
        case sympy.Expr() if value.is_number:
            from gradtheory.arithmetic.guarantee import nearest_float

            return _number(nearest_float(value), guarantee=gt.guarantee(value).value, exact=str(value))
        case sympy.Basic():
            return str(value)
        case Mapping():
            return {str(name): as_json(each) for name, each in value.items()}
        case _ if dataclasses.is_dataclass(value):
            return {field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return [as_json(each) for each in value]


def in_text(value: Any) -> str:
    """Return a result as a line of text: exact forms with six digits beside them, where those say more."""
    import sympy

    from gradtheory.formulas.text import text

    if isinstance(value, list | tuple):
        return ", ".join(map(in_text, value))
    if isinstance(value, Enum):
        return str(value.value)
    if not isinstance(value, sympy.Basic):
        return str(value)
    written = text(value)
    near = _in_digits(value) if value.is_number and not value.is_Float and not written.endswith("…") else None
    return written if near is None else f"{written} ≈ {near}"


def set_and_guarantee(result: Any, variable: str) -> dict[str, Any]:
    """Return the set of a variable, the period with which it repeats, if it does, and what stands behind its ends."""
    period = getattr(result, "period", None)
    return {"set": Solutions(result, variable), "period": period, "guarantee": gt.guarantee(result)}


def _number(value: float, **more: Any) -> dict[str, Any]:
    return {"value": _plain(value)} | more


def _plain(value: Any) -> Any:
    """Return a number of float64 as JSON has it; JSON has no infinity, which is the text that `float` reads."""
    if isinstance(value, list):
        return list(map(_plain, value))
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _parts(value: Any) -> list[Any]:
    """Return the intervals and points of a set, in increasing order; of a periodic one, those that are repeated."""
    from gradtheory.arithmetic.guarantee import nearest_float
    from gradtheory.explosion.superlevel import Periodic, components_of

    base = value.base if isinstance(value, Periodic) else value
    return sorted(components_of(base), key=lambda part: nearest_float(part.lower))


def _interval(part: Any) -> dict[str, Any]:
    ends = {"lower": as_json(part.lower), "upper": as_json(part.upper)}
    return ends | {"lower_open": bool(part.lower_open), "upper_open": bool(part.upper_open)}


def _in_digits(number: Any, digits: int = _SHORT) -> str | None:
    """Return some digits of a number; None where they say no more than its exact form."""
    from gradtheory.arithmetic.guarantee import decimal

    if number.is_Integer or number.is_infinite:
        return None
    written = decimal(number, digits)
    near = float(written)
    is_like = math.isfinite(near) and abs(near) >= sys.float_info.min
    return f"{near:.{digits}g}" if digits <= _OF_FLOATS and is_like else written


def _inequality(value: Any, variable: str, digits: int | None = _SHORT) -> str:
    """Return the parts of a set as inequalities, such as "-0.5 < x ≤ 2"; of a periodic one, those of all periods.

    The ends stand in so many digits, or in their exact form where `digits` is None.
    """
    period = getattr(value, "period", None)
    if period is not None:
        return f"{_alternatives(value, f'{variable} - {_near(period, digits)}·k', digits)}, k = 0, ±1, ±2, …"
    return _alternatives(value, variable, digits) or said("none")


def _alternatives(value: Any, variable: str, digits: int | None) -> str:
    parts = _parts(value)
    gaps = [(here.upper, there.lower) for here, there in pairwise(parts) if here.upper != there.lower]
    for more in (digits, *_MORE):
        if all(_near(end, more) != _near(start, more) for end, start in gaps):
            break
    return f" {said('or')} ".join(_part_as_inequality(part, variable, more) for part in parts)


def _part_as_inequality(part: Any, variable: str, digits: int | None) -> str:
    if part.is_point:
        return f"{variable} = {_near(part.lower, digits)}"
    if part.upper.is_infinite and part.lower.is_infinite:
        return said(f"every {variable}")
    if part.upper.is_infinite:
        return f"{variable} {'>' if part.lower_open else '≥'} {_near(part.lower, digits)}"
    above = "<" if part.upper_open else "≤"
    if part.lower.is_infinite:
        return f"{variable} {above} {_near(part.upper, digits)}"
    for more in (digits, *_MORE):  # until they tell the ends apart
        lower, upper = (_near(end, more) for end in (part.lower, part.upper))
        if lower != upper:
            return f"{lower} {'<' if part.lower_open else '≤'} {variable} {above} {upper}"
    return said(f"{variable} ≈ {_near(part.lower)}, over a length of {_near(part.upper - part.lower)}")


def _near(number: Any, digits: int | None = _SHORT) -> str:
    from gradtheory.formulas.text import text

    return (digits and _in_digits(number, digits)) or text(number)
