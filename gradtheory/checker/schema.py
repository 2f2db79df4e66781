"""The certificate as typed data: every field present, none unknown, each of its type; meaning is checked elsewhere."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from gradtheory.checker.reading import read
from gradtheory.checker.terms import Malformed, Term, number

FORMAT = "gradtheory-certificate/1"
Bound: TypeAlias = str | tuple[str, int]  # "-oo", "oo", ("crossing", i) or ("end", j)
Side: TypeAlias = Literal["left", "right"]

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


def parse(data: Any) -> Certificate:
    """Return the certificate that a JSON object states; raises Malformed with the name of the offending field."""
    top = read_fields(data, "certificate", "format claim method domain cells crossings components tails status")
    if top["format"] != FORMAT:
        raise Malformed(f"format must be {FORMAT}")
    claim = read_fields(top["claim"], "claim", "kind activation expression weight bias threshold strict")
    read_one_of(claim["kind"], "claim.kind", "explosion set")
    read_one_of(top["method"], "method", "certified", "closed_form")
    name = claim["activation"]
    tails = read_fields(top["tails"], "tails", "left right")
    domain = [read_place(each, f"domain[{i}]") for i, each in enumerate(read_list(top["domain"], "domain"))]
    if len(domain) != 2 or any(each.is_isolated for each in domain):
        raise Malformed("domain must have two ends, each exact or infinite")
    cells, crossings, components = (read_list(top[each], each) for each in ("cells", "crossings", "components"))
    return Certificate(
        activation=None if name is None else read_text(name, "claim.activation"),
        expression=read_term(claim["expression"], "claim.expression", whole=True),
        weight=read_constant(claim["weight"], "claim.weight"),
        bias=read_constant(claim["bias"], "claim.bias"),
        threshold=read_constant(claim["threshold"], "claim.threshold"),
        strict=read_flag(claim["strict"], "claim.strict"),
        domain=(domain[0], domain[1]),
        cells=tuple(_cell(each, f"cells[{i}]") for i, each in enumerate(cells)),
        crossings=tuple(_crossing(each, f"crossings[{i}]") for i, each in enumerate(crossings)),
        components=tuple(_component(each, f"components[{i}]") for i, each in enumerate(components)),
        tails=(_tail(tails["left"], "tails.left"), _tail(tails["right"], "tails.right")),
        status=read_one_of(top["status"], "status", "proven", "proven on the domain"),
    )


def read_fields(data: Any, where: str, names: str) -> Mapping[str, Any]:
    """Return an object with exactly these fields."""
    if not isinstance(data, Mapping) or set(data) != set(names.split()):
        raise Malformed(f"{where} must be an object with the fields {names}")
    return data


def read_list(data: Any, where: str, most: int = _MOST_PARTS) -> list[Any]:
    """Return a list that is not too long."""
    if not isinstance(data, list) or len(data) > most:
        raise Malformed(f"{where} must be a list of at most {most}")
    return data


def read_text(data: Any, where: str) -> str:
    """Return a text of one line."""
    if not isinstance(data, str) or len(data) > _LONGEST_TEXT or not data.isprintable():
        raise Malformed(f"{where} must be a text of one line and at most {_LONGEST_TEXT} characters")
    return data


def read_one_of(data: Any, where: str, *allowed: str) -> str:
    """Return one of the texts allowed."""
    if not isinstance(data, str) or data not in allowed:
        raise Malformed(f"{where} must be one of: {', '.join(allowed)}")
    return data


def read_flag(data: Any, where: str) -> bool:
    """Return true or false."""
    if not isinstance(data, bool):
        raise Malformed(f"{where} must be true or false")
    return data


def read_integer(data: Any, where: str) -> int:
    """Return an integer."""
    if not isinstance(data, int) or isinstance(data, bool):
        raise Malformed(f"{where} must be an integer")
    return data


def read_rational(data: Any, where: str) -> Fraction:
    """Return a rational number in lowest terms."""
    if isinstance(data, str) and _RATIONAL.fullmatch(data) and not re.search("/0*$", data):
        value = number(Fraction(data)).value
        if str(value) == data:
            return value
    raise Malformed(f"{where} must be a rational number as text in lowest terms, such as -3/4")


def read_term(data: Any, where: str, *, whole: bool = False) -> Term:
    """Return an expression; `whole` is that of `read`."""
    try:
        return read(read_text(data, where), whole=whole)
    except Malformed as error:
        raise Malformed(f"{where}: {error}") from None


def read_smooth(data: Any, where: str, *, whole: bool = False) -> Term:
    """Return an expression without switches; `whole` is that of `read`."""
    term = read_term(data, where, whole=whole)
    if term.switches:
        raise Malformed(f"{where} must be written without Max, Min, Abs, sign and Piecewise")
    return term


def read_constant(data: Any, where: str) -> Term:
    """Return an exact number."""
    if isinstance(data, str) and re.search(r"\bz\b", data):
        raise Malformed(f"{where} must be a number")
    return read_smooth(data, where, whole=True)


def read_bracket(lower: Any, upper: Any, where: str) -> tuple[Fraction, Fraction]:
    """Return two rational numbers, the lesser first."""
    low, high = read_rational(lower, where), read_rational(upper, where)
    if low > high:
        raise Malformed(f"{where} must have its lower end first")
    return low, high


def read_place(data: Any, where: str) -> Place:
    """Return an end of a cell."""
    if data in ("-oo", "oo"):
        return Place(infinite=1 if data == "oo" else -1)
    if isinstance(data, list) and len(data) == 2:
        lower, upper = read_bracket(data[0], data[1], where)
        return Place(lower=lower, upper=upper)
    return Place(exact=read_constant(data, where))


def _cell(data: Any, where: str) -> Cell:
    fields = read_fields(data, where, "left right piece sign rises positive shape")
    sign, rises = read_integer(fields["sign"], f"{where}.sign"), fields["rises"]
    given = [fields[name] is not None for name in ("rises", "positive", "shape")]
    if any(given) != all(given):
        raise Malformed(f"{where} must have rises, positive and shape, or none of them where the slope is constant")
    if sign not in ((-1, 1) if all(given) else (-1, 0, 1)):
        raise Malformed(f"{where}.sign must be 1 or -1, or 0 where the slope is 0")
    return Cell(
        left=read_place(fields["left"], f"{where}.left"),
        right=read_place(fields["right"], f"{where}.right"),
        piece=read_smooth(fields["piece"], f"{where}.piece"),
        sign=sign,
        rises=None if rises is None else read_flag(rises, f"{where}.rises"),
        positive=read_smooth(fields["positive"], f"{where}.positive") if all(given) else None,
        shape=read_smooth(fields["shape"], f"{where}.shape") if all(given) else None,
    )


def _crossing(data: Any, where: str) -> Crossing:
    fields = read_fields(data, where, "cell lower upper")
    lower, upper = read_bracket(fields["lower"], fields["upper"], where)
    return Crossing(read_integer(fields["cell"], f"{where}.cell"), lower, upper)


def _component(data: Any, where: str) -> Component:
    fields = read_fields(data, where, "lower upper lower_open upper_open")
    return Component(
        lower=_bound(fields["lower"], f"{where}.lower"),
        upper=_bound(fields["upper"], f"{where}.upper"),
        lower_open=read_flag(fields["lower_open"], f"{where}.lower_open"),
        upper_open=read_flag(fields["upper_open"], f"{where}.upper_open"),
    )


def _bound(data: Any, where: str) -> Bound:
    if isinstance(data, str):
        return read_one_of(data, where, "-oo", "oo")
    if isinstance(data, Mapping) and len(data) == 1:
        ((kind, index),) = data.items()
        return read_one_of(kind, where, "crossing", "end"), read_integer(index, where)
    raise Malformed(f"{where} must be -oo, oo, or an object with crossing or end")


def _tail(data: Any, where: str) -> str:
    argument = data.get("argument") if isinstance(data, Mapping) else None
    if argument == "limit":  # what the solver takes to be so beyond the domain: not believed, and not repeated
        fields = read_fields(data, where, "argument limit assumes")
        for name in ("limit", "assumes"):
            read_text(fields[name], f"{where}.{name}")
        return "limit"
    return read_one_of(read_fields(data, where, "argument")["argument"], f"{where}.argument", "monotone", "period")
