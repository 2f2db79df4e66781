"""What both printers have in common: own names and letters, roots by our rules, conditions in their order."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import sympy
from sympy.core.relational import Relational
from sympy.logic.boolalg import Equivalent

from gradtheory.arithmetic.brief import with_power
from gradtheory.formulas.order import starred


@dataclass(frozen=True)
class Spelling:
    """How a document writes what it could write otherwise.

    Parameters
    ----------
    names : mapping of sympy.Basic to sympy.Symbol
        Roots that have a name in the document, with it.
    letters : mapping of str to str
        Letters of symbols and what is written for them: with {"w": "theta"}, w_1 is θ_1.

    """

    names: Mapping[sympy.Basic, sympy.Symbol] = field(default_factory=lambda: MappingProxyType({}))
    letters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def name(self, name: str) -> str:
        """Return the name of a symbol with its letter replaced."""
        letter, mark, rest = name.partition("_")
        return self.letters.get(letter, letter) + mark + rest

    def prose(self, prose: str) -> str:
        """Return prose with the letters in its formulas, between dollar signs, replaced."""
        if not self.letters:
            return prose
        letter = re.compile(rf"(?<![A-Za-z\\])({'|'.join(self.letters)})(?![A-Za-z])")

        def replaced(match: re.Match[str]) -> str:
            new = self.letters[match[1]]
            return new if len(new) == 1 else rf"\{new} "

        parts = prose.split("$")
        return "$".join(letter.sub(replaced, part) if number % 2 else part for number, part in enumerate(parts))


PLAIN = Spelling()


class OwnFirst:
    """A printer that prints roots and inverse slopes by its own methods; SymPy would ask the objects instead."""

    spelling: Spelling
    ellipsis: str  # after the first digits of a number
    power: str  # how these are written with a power of ten
    _print_level: int  # how deep inside an expression: a root with a formula has brackets there

    def _print(self, expr: sympy.Basic, **settings: Any) -> str:
        if expr in self.spelling.names:
            expr = self.spelling.names[expr]
        own = getattr(self, f"_own_{type(expr).__qualname__}", None)
        if own is None:
            return str(super()._print(expr, **settings))  # type: ignore[misc]  # SymPy's printers, which come next
        self._print_level += 1
        try:
            return str(own(expr, **settings))
        finally:
            self._print_level -= 1

    def _own_Root(self, expr: Any) -> str:  # noqa: N802  # the class's name
        """Print a root by its unknown with a star; a place on the line of z, which has no name, by its digits."""
        (variable,) = expr.function.variables
        if str(variable) == "z":
            return with_power(expr.first_digits(self.ellipsis), self.power)
        value = starred(expr)
        printed = self._print(value)
        return printed if value.is_Symbol or self._print_level == 1 else self.bracketed(printed)

    def bracketed(self, printed: str) -> str:
        """Return what is printed in brackets."""
        raise NotImplementedError

    def end(self, place: sympy.Expr) -> str:
        """Print an end of an interval: three digits of a root without a name."""
        roots = {part for part in sympy.preorder_traversal(place) if type(part).__name__ in ("Root", "PairRoot")}
        is_digits = bool(roots - self.spelling.names.keys()) and place not in self.spelling.names
        return f"{float(place):.3g}" if is_digits else self._print(place)

    def negated(self, expr: sympy.Expr) -> str:
        """Print what follows a minus sign: a root that is a product needs no brackets there."""
        value = starred(expr) if type(expr).__name__ == "Root" else expr
        printed = self._print(value if isinstance(value, sympy.Mul) and expr not in self.spelling.names else expr)
        return self.bracketed(printed) if value.is_Add or printed.startswith("-") else printed


def alone(printer: Any, expr: sympy.Basic) -> str:
    """Print what stands alone, such as a side of a relation or an argument: it needs no brackets."""
    level, printer._print_level = printer._print_level, 0
    try:
        return str(printer._print(expr))
    finally:
        printer._print_level = level


def sides(statement: Equivalent) -> tuple[sympy.Basic, sympy.Basic]:
    """Return the two sides of an equivalence: that of the slope or of the roots first, one solved for a symbol last."""
    first = "Abs(", "|", "ρ("

    def key(side: Any) -> tuple[bool, bool, str]:
        is_first = str(side).lstrip("0123456789/*").startswith(first)
        return not is_first, isinstance(getattr(side, "lhs", None), sympy.Symbol), str(side)

    left, right = sorted(statement.args, key=key)
    return left, right


def pieces(expr: sympy.Or) -> list[sympy.Basic]:
    """Return the intervals of a union from left to right, as far as their ends tell: SymPy keeps them in a set."""

    def place(piece: sympy.Basic) -> tuple[int, float]:
        if not isinstance(piece, sympy.And):
            return (0 if isinstance(piece, sympy.Lt | sympy.Le) else 2), 0.0
        inside = between(piece)
        lower = sympy.S.Zero if inside is None else inside[0]
        inverse = next(
            (part for part in sympy.preorder_traversal(lower) if type(part).__name__ == "SlopeInverse"), None
        )
        known = lower if inverse is None else inverse.args[2]  # it lies between this place and the next
        return 1, float(known) if known.is_number else 0.0

    return sorted(expr.args, key=place)


def cases(expr: sympy.Piecewise) -> list[tuple[sympy.Expr, sympy.Basic]]:
    """Return the formulas of a function with their conditions, the last one written out too where it is "otherwise"."""
    *pairs, (value, condition) = (pair.args for pair in expr.args)
    if pairs and condition == sympy.true:
        condition = _otherwise(before for _, before in pairs)
    return pairs if condition == sympy.false else [*pairs, (value, condition)]


def _otherwise(before: Iterable[sympy.Basic]) -> sympy.Basic:
    """Return that none of some conditions holds; z >= 1 where z < 0 and z < 1 do not."""
    rest = sympy.to_nnf(sympy.Not(sympy.Or(*before)))
    is_simple = all(side.is_Atom for one in rest.atoms(Relational) for side in one.args)
    if not isinstance(rest, sympy.And) or not is_simple or len(rest.free_symbols) != 1:
        return rest
    (symbol,) = rest.free_symbols  # SymPy's simplify turns not (-1 < z < 1) into z < -1 or z >= 1
    reduced = rest.as_set().as_relational(symbol)
    return reduced.replace(lambda part: isinstance(part, Relational), lambda part: part.canonical)


def between(expr: sympy.And) -> tuple[sympy.Expr, str, sympy.Expr, str, sympy.Expr] | None:
    """Return l, "<", x, "<=", u for the condition l < x ≤ u, and likewise with the other signs."""
    kinds = sympy.Lt | sympy.Gt | sympy.Le | sympy.Ge
    if len(expr.args) != 2 or not all(isinstance(part, kinds) for part in expr.args):
        return None
    for below, above in (expr.args, expr.args[::-1]):
        if below.gts == above.lts:
            signs = ("<" if isinstance(part, sympy.Lt | sympy.Gt) else "<=" for part in (below, above))
            return below.lts, next(signs), below.gts, next(signs), above.gts
    return None
