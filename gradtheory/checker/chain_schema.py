r"""The certificate of a chain as typed data: every field present, none unknown, each of its type.

It is about {x : \|f'(x)\| > c} with f = a_L, a_l = σ_l(w_l·a_(l-1) + b_l), a_0 = x. Format
``gradtheory-certificate/1``: a JSON object with exactly these fields, numbers and expressions being written as
`gradtheory.checker` says.

``format``
    ``"gradtheory-certificate/1"``.
``claim``
    ``kind`` (``"total explosion set"``); ``activations``, the distinct ones, each with ``activation`` (a name in the
    catalogue, or null) and ``expression``; ``layers`` from the first to the last, at most 20,000, each with
    ``activation`` (its number in that list, from 0), ``weight``, ``bias``; ``threshold``; ``strict`` (true for >, false
    for >=).
``cells``
    For each activation the list of its cells, from left to right over the whole line, each with ``left``, ``right``,
    ``piece``, ``sign``, as in a certificate of one activation. From them it is proven to be in class N: σ' is 0 outside
    of one interval and of one sign in it, where \|σ'\|^(-1/2) is convex. Then \|f'\|^(-1/2) is convex too, and the set
    is an interval.
``set``
    Null for the empty set; else ``lower`` and ``upper``, each with ``outer``, ``inner``, ``open``. The end lies between
    ``outer`` and ``inner``, rational numbers with \|f'(outer)\| < c < \|f'(inner)\|; with >= also c = \|f'(inner)\|.
    ``outer`` may be ``"-oo"`` or ``"oo"``: no \|σ'\| falls on the way there. ``open`` says whether the end is left out:
    with > and at infinity always, with >= where f' falls from c or more to 0, at a kink.
``empty``
    Null, or why the set is empty: an object with ``argument`` and one more field.

    ``{"argument": "zero weight", "layer": l}``
        w_l = 0, layers being counted from 0.
    ``{"argument": "steepest", "slopes": [s, …]}``
        \|σ'\| <= s for each activation, and the product of all s·\|w\| does not exceed c.
    ``{"argument": "tangents", "places": [x, y]}``
        At x <= y the tangents of \|f'\|^(-1/2) meet no lower than c^(-1/2); \|f'\| rises at x and falls at y.
    ``{"argument": "between", "places": [x, y]}``
        \|f'\| does not exceed c between x and y, and falls further out, or is 0 there because a layer stays where
        its σ is constant; x may be ``"-oo"`` and y ``"oo"``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from gradtheory.checker.schema import (
    FORMAT,
    Cell,
    read_constant,
    read_fields,
    read_flag,
    read_integer,
    read_list,
    read_one_of,
    read_place,
    read_rational,
    read_smooth,
    read_term,
    read_text,
)
from gradtheory.checker.terms import Malformed, Term

KIND = "total explosion set"
_MOST_ACTIVATIONS = 50
_MOST_LAYERS = 20_000
_EMPTY = {"zero weight": "layer", "steepest": "slopes", "tangents": "places", "between": "places"}


@dataclass(frozen=True)
class Stated:
    """A distinct activation as stated, with the cells that prove it to be in class N."""

    name: str | None
    expression: Term
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Layer:
    """The number of a layer's activation, its weight and its bias."""

    activation: int
    weight: Term
    bias: Term


@dataclass(frozen=True)
class End:
    """An end of the set: between an input outside of it, or infinity, and one inside."""

    outer: Fraction | None  # None at infinity
    inner: Fraction
    is_open: bool


@dataclass(frozen=True)
class Emptiness:
    """Why the set is empty; what the argument does not use is empty too."""

    argument: str
    layer: int = 0
    slopes: tuple[Term, ...] = ()
    places: tuple[Fraction | None, ...] = ()  # None at infinity


@dataclass(frozen=True)
class ChainCertificate:
    """The whole, read but not yet believed."""

    activations: tuple[Stated, ...]
    layers: tuple[Layer, ...]
    threshold: Term
    strict: bool
    ends: tuple[End, End] | None
    emptiness: Emptiness | None


def is_of_chain(data: Any) -> bool:
    """Whether an object says that it is a certificate of this kind."""
    claim = data.get("claim") if isinstance(data, Mapping) else None
    return isinstance(claim, Mapping) and claim.get("kind") == KIND


def parse_chain(data: Any) -> ChainCertificate:
    """Return the certificate that a JSON object states; raises Malformed with the name of the offending field."""
    top = read_fields(data, "certificate", "format claim cells set empty")
    if top["format"] != FORMAT:
        raise Malformed(f"format must be {FORMAT}")
    claim = read_fields(top["claim"], "claim", "kind activations layers threshold strict")
    stated = read_list(claim["activations"], "claim.activations", _MOST_ACTIVATIONS)
    proofs = read_list(top["cells"], "cells", _MOST_ACTIVATIONS)
    if len(proofs) != len(stated):
        raise Malformed("cells must have one list for each of claim.activations")
    numbers: dict[str, Term] = {}  # weights are mostly alike
    layers = read_list(claim["layers"], "claim.layers", _MOST_LAYERS)
    if not layers:
        raise Malformed("claim.layers must not be empty")
    if (top["set"] is None) == (top["empty"] is None):
        raise Malformed("set and empty: one of them must be null")
    return ChainCertificate(
        activations=tuple(_stated(each, cells, i) for i, (each, cells) in enumerate(zip(stated, proofs, strict=True))),
        layers=tuple(_layer(each, f"claim.layers[{i}]", len(stated), numbers) for i, each in enumerate(layers)),
        threshold=read_constant(claim["threshold"], "claim.threshold"),
        strict=read_flag(claim["strict"], "claim.strict"),
        ends=None if top["set"] is None else _ends(top["set"]),
        emptiness=None if top["empty"] is None else _emptiness(top["empty"], len(stated)),
    )


def _stated(data: Any, cells: Any, i: int) -> Stated:
    fields = read_fields(data, f"claim.activations[{i}]", "activation expression")
    name = fields["activation"]
    return Stated(
        None if name is None else read_text(name, f"claim.activations[{i}].activation"),
        read_term(fields["expression"], f"claim.activations[{i}].expression", whole=True),
        tuple(_cell(each, f"cells[{i}][{j}]") for j, each in enumerate(read_list(cells, f"cells[{i}]"))),
    )


def _cell(data: Any, where: str) -> Cell:
    fields = read_fields(data, where, "left right piece sign")
    sign = read_integer(fields["sign"], f"{where}.sign")
    if sign not in (-1, 0, 1):
        raise Malformed(f"{where}.sign must be 1 or -1, or 0 where the slope is 0")
    left, right = (read_place(fields[side], f"{where}.{side}") for side in ("left", "right"))
    return Cell(left, right, read_smooth(fields["piece"], f"{where}.piece"), sign, None, None, None)


def _layer(data: Any, where: str, count: int, numbers: dict[str, Term]) -> Layer:
    fields = read_fields(data, where, "activation weight bias")

    def constant(name: str) -> Term:
        text = fields[name]
        if not isinstance(text, str) or text not in numbers:
            numbers[text] = read_constant(text, f"{where}.{name}")
        return numbers[text]

    return Layer(_index(fields["activation"], f"{where}.activation", count), constant("weight"), constant("bias"))


def _index(data: Any, where: str, count: int) -> int:
    index = read_integer(data, where)
    if not 0 <= index < count:
        raise Malformed(f"{where} must be a number from 0 to {count - 1}")
    return index


def _ends(data: Any) -> tuple[End, End]:
    fields = read_fields(data, "set", "lower upper")
    return _end(fields["lower"], "set.lower", "-oo"), _end(fields["upper"], "set.upper", "oo")


def _end(data: Any, where: str, infinity: str) -> End:
    fields = read_fields(data, where, "outer inner open")
    outer = None if fields["outer"] == infinity else read_rational(fields["outer"], f"{where}.outer")
    return End(outer, read_rational(fields["inner"], f"{where}.inner"), read_flag(fields["open"], f"{where}.open"))


def _emptiness(data: Any, count: int) -> Emptiness:
    argument = data.get("argument") if isinstance(data, Mapping) else None
    argument = read_one_of(argument, "empty.argument", *_EMPTY)
    given = read_fields(data, "empty", f"argument {_EMPTY[argument]}")[_EMPTY[argument]]
    if argument == "zero weight":
        return Emptiness(argument, layer=read_integer(given, "empty.layer"))
    parts = read_list(given, f"empty.{_EMPTY[argument]}")
    if argument == "steepest":
        if len(parts) != count:
            raise Malformed("empty.slopes must have one number for each of claim.activations")
        return Emptiness(argument, slopes=tuple(read_constant(x, f"empty.slopes[{i}]") for i, x in enumerate(parts)))
    if len(parts) != 2:
        raise Malformed("empty.places must have two places")
    infinities = ("-oo", "oo") if argument == "between" else ("", "")
    places = zip(parts, infinities, strict=True)
    return Emptiness(
        argument,
        places=tuple(
            None if oo and x == oo else read_rational(x, f"empty.places[{i}]") for i, (x, oo) in enumerate(places)
        ),
    )
