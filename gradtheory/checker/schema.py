"""The certificate as typed data: every field present, none unknown, each of its type; meaning is checked elsewhere."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, TypeAlias

from gradtheory.checker.reading import read
from gradtheory.checker.terms import Malformed, Term, number
from gradtheory.errors import InvalidArgument

FORMAT = "gradtheory-certificate/1"
Bound: TypeAlias = str | tuple[str, int]  # "-oo", "oo", ("crossing", i) or ("end", j)
Side: TypeAlias = Literal["left", "right"]

_LARGEST_FILE = 10_000_000  # bytes
_MOST_PARTS = 1_000  # cells, crossings, components
_LONGEST_TEXT = 10_000  # characters
_RATIONAL = re.compile(r"-?\d{1,4000}(/\d{1,4000})?", re.ASCII)


@dataclass(frozen=True)
class Place:
    """An end of a cell: infinite, an exact term, or the zero of `defining` (a derivative of a term) in an interval."""

    infinite: int = 0  # -1 or 1
    exact: Term | None = None
    lower: Fraction = Fraction(0)
    upper: Fraction = Fraction(0)
    defining: tuple[Term, int] | None = None

    @property
    def is_isolated(self) -> bool:
        """Whether the place is known by an interval alone."""
        return not self.infinite and self.exact is None


@dataclass(frozen=True)
class Cell:
    """One cell as stated; `positive` and `shape` are None where σ' is constant, and `rises` too."""

    left: Place
    right: Place
    piece: Term
    sign: int
    rises: bool | None
    positive: Term | None
    shape: Term | None

    def end(self, side: Side) -> Place:
        """Return the end on one side."""
        return self.left if side == "left" else self.right


@dataclass(frozen=True)
class Crossing:
    """A bracket of the one point of a cell where |σ'| = t."""

    cell: int
    lower: Fraction
    upper: Fraction


@dataclass(frozen=True)
class Component:
    """One interval of U_t."""

    lower: Bound
    upper: Bound
    lower_open: bool = True
    upper_open: bool = True


@dataclass(frozen=True)
class Certificate:
    """The whole, read but not yet believed."""

    activation: str | None
    expression: Term
    weight: Term
    bias: Term
    threshold: Term
    strict: bool
    domain: tuple[Place, Place]
    cells: tuple[Cell, ...]
    crossings: tuple[Crossing, ...]
    components: tuple[Component, ...]
    tails: tuple[str, str]
    status: str


def load(path: Any) -> dict[str, Any]:
    """Return the JSON object in a file of at most 10 MB; names must not repeat and numbers must be finite."""
    name = str(path) if isinstance(path, Path) else path
    try:
        with Path(path).open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except (OSError, TypeError, ValueError) as error:
        raise InvalidArgument("path", name, f"cannot be read: {type(error).__name__}") from None
    if len(content) > _LARGEST_FILE:
        raise InvalidArgument("path", name, f"must be a file of at most {_LARGEST_FILE} bytes")
    try:
        data = json.loads(content.decode("utf-8"), object_pairs_hook=_without_repetition, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:  # also of the decoding
        raise InvalidArgument("path", name, f"is not JSON: {' '.join(str(error).split())[:100]}") from None
    if not isinstance(data, dict):
        raise InvalidArgument("path", name, "must hold a JSON object")
    return data


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a name is repeated in an object")
    return fields


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number of JSON")


def parse(data: Any) -> Certificate:
    """Return the certificate that a JSON object states; raises Malformed with the name of the offending field."""
    top = _fields(data, "certificate", "format claim method domain cells crossings components tails status")
    if top["format"] != FORMAT:
        raise Malformed(f"format must be {FORMAT}")
    claim = _fields(top["claim"], "claim", "kind activation expression weight bias threshold strict")
    _one_of(claim["kind"], "claim.kind", "explosion set")
    _one_of(top["method"], "method", "certified", "closed_form")
    name = claim["activation"]
    tails = _fields(top["tails"], "tails", "left right")
    domain = [_place(each, f"domain[{i}]") for i, each in enumerate(_list(top["domain"], "domain"))]
    if len(domain) != 2 or any(each.is_isolated for each in domain):
        raise Malformed("domain must have two ends, each exact or infinite")
    cells, crossings, components = (_list(top[each], each) for each in ("cells", "crossings", "components"))
    return Certificate(
        activation=None if name is None else _text(name, "claim.activation"),
        expression=_term(claim["expression"], "claim.expression"),
        weight=_constant(claim["weight"], "claim.weight"),
        bias=_constant(claim["bias"], "claim.bias"),
        threshold=_constant(claim["threshold"], "claim.threshold"),
        strict=_flag(claim["strict"], "claim.strict"),
        domain=(domain[0], domain[1]),
        cells=tuple(_cell(each, f"cells[{i}]") for i, each in enumerate(cells)),
        crossings=tuple(_crossing(each, f"crossings[{i}]") for i, each in enumerate(crossings)),
        components=tuple(_component(each, f"components[{i}]") for i, each in enumerate(components)),
        tails=(_tail(tails["left"], "tails.left"), _tail(tails["right"], "tails.right")),
        status=_one_of(top["status"], "status", "proven", "proven on the domain"),
    )


def _fields(data: Any, where: str, names: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping) or set(data) != set(names.split()):
        raise Malformed(f"{where} must be an object with the fields {names}")
    return data


def _list(data: Any, where: str) -> list[Any]:
    if not isinstance(data, list) or len(data) > _MOST_PARTS:
        raise Malformed(f"{where} must be a list of at most {_MOST_PARTS}")
    return data


def _text(data: Any, where: str) -> str:
    if not isinstance(data, str) or len(data) > _LONGEST_TEXT or not data.isprintable():
        raise Malformed(f"{where} must be a text of one line and at most {_LONGEST_TEXT} characters")
    return data


def _one_of(data: Any, where: str, *allowed: str) -> str:
    if not isinstance(data, str) or data not in allowed:
        raise Malformed(f"{where} must be one of: {', '.join(allowed)}")
    return data


def _flag(data: Any, where: str) -> bool:
    if not isinstance(data, bool):
        raise Malformed(f"{where} must be true or false")
    return data


def _integer(data: Any, where: str) -> int:
    if not isinstance(data, int) or isinstance(data, bool):
        raise Malformed(f"{where} must be an integer")
    return data


def _rational(data: Any, where: str) -> Fraction:
    if isinstance(data, str) and _RATIONAL.fullmatch(data) and not re.search("/0*$", data):
        value = number(Fraction(data)).value
        if str(value) == data:
            return value
    raise Malformed(f"{where} must be a rational number as text in lowest terms, such as -3/4")


def _term(data: Any, where: str) -> Term:
    try:
        return read(_text(data, where))
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def _smooth(data: Any, where: str) -> Term:
    term = _term(data, where)
    if term.switches:
        raise Malformed(f"{where} must be written without Max, Min, Abs, sign and Piecewise")
    return term


def _constant(data: Any, where: str) -> Term:
    if isinstance(data, str) and re.search(r"\bz\b", data):
        raise Malformed(f"{where} must be a number")
    return _smooth(data, where)


def _bracket(lower: Any, upper: Any, where: str) -> tuple[Fraction, Fraction]:
    low, high = _rational(lower, where), _rational(upper, where)
    if low > high:
        raise Malformed(f"{where} must have its lower end first")
    return low, high


def _place(data: Any, where: str) -> Place:
    if data in ("-oo", "oo"):
        return Place(infinite=1 if data == "oo" else -1)
    if isinstance(data, list) and len(data) == 2:
        lower, upper = _bracket(data[0], data[1], where)
        return Place(lower=lower, upper=upper)
    return Place(exact=_constant(data, where))


def _cell(data: Any, where: str) -> Cell:
    fields = _fields(data, where, "left right piece sign rises positive shape")
    sign, rises = _integer(fields["sign"], f"{where}.sign"), fields["rises"]
    given = [fields[name] is not None for name in ("rises", "positive", "shape")]
    if any(given) != all(given):
        raise Malformed(f"{where} must have rises, positive and shape, or none of them where the slope is constant")
    if sign not in ((-1, 1) if all(given) else (-1, 0, 1)):
        raise Malformed(f"{where}.sign must be 1 or -1, or 0 where the slope is 0")
    return Cell(
        left=_place(fields["left"], f"{where}.left"),
        right=_place(fields["right"], f"{where}.right"),
        piece=_smooth(fields["piece"], f"{where}.piece"),
        sign=sign,
        rises=None if rises is None else _flag(rises, f"{where}.rises"),
        positive=_smooth(fields["positive"], f"{where}.positive") if all(given) else None,
        shape=_smooth(fields["shape"], f"{where}.shape") if all(given) else None,
    )


def _crossing(data: Any, where: str) -> Crossing:
    fields = _fields(data, where, "cell lower upper")
    lower, upper = _bracket(fields["lower"], fields["upper"], where)
    return Crossing(_integer(fields["cell"], f"{where}.cell"), lower, upper)


def _component(data: Any, where: str) -> Component:
    fields = _fields(data, where, "lower upper lower_open upper_open")
    return Component(
        lower=_bound(fields["lower"], f"{where}.lower"),
        upper=_bound(fields["upper"], f"{where}.upper"),
        lower_open=_flag(fields["lower_open"], f"{where}.lower_open"),
        upper_open=_flag(fields["upper_open"], f"{where}.upper_open"),
    )


def _bound(data: Any, where: str) -> Bound:
    if isinstance(data, str):
        return _one_of(data, where, "-oo", "oo")
    if isinstance(data, Mapping) and len(data) == 1:
        ((kind, index),) = data.items()
        return _one_of(kind, where, "crossing", "end"), _integer(index, where)
    raise Malformed(f"{where} must be -oo, oo, or an object with crossing or end")


def _tail(data: Any, where: str) -> str:
    argument = data.get("argument") if isinstance(data, Mapping) else None
    if argument == "limit":  # what the solver takes to be so beyond the domain: not believed, and not repeated
        fields = _fields(data, where, "argument limit assumes")
        for name in ("limit", "assumes"):
            _text(fields[name], f"{where}.{name}")
        return "limit"
    return _one_of(_fields(data, where, "argument")["argument"], f"{where}.argument", "monotone", "period")
