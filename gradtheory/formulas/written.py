"""Products and sums that are written as they were made: to SymPy they are its own, whose factors have no order.

After a change such as `.subs` or `.doit` they are plain products and sums; symbols may be replaced by `.xreplace`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import sympy
from sympy.printing.precedence import PRECEDENCE


class _AsMade(sympy.Expr):  # type: ignore[misc]  # SymPy's classes are untyped
    """What both have in common. They equal, and hash as, the plain expression."""

    plain_class: ClassVar[Any]
    is_commutative = True
    groups: tuple[tuple[sympy.Expr, ...], ...]
    plain: sympy.Expr

    def __new__(cls, *groups: sympy.Expr | tuple[sympy.Expr, ...]) -> sympy.Expr:  # the class's docstring
        made = tuple(group if isinstance(group, tuple) else (group,) for group in groups)
        parts = [part for group in made for part in group]
        plain = cls.plain_class(*parts)
        if not isinstance(plain, cls.plain_class) or len(parts) < 2:
            return plain
        self = sympy.Expr.__new__(cls, *plain.args)
        self.groups, self.plain = made, plain
        return self

    def __getnewargs__(self) -> Any:
        return self.groups

    @classmethod
    def _from_args(cls, args: Any, is_commutative: bool | None = None) -> sympy.Expr:  # SymPy's
        """Make the plain expression: SymPy calls this where it takes a part of one."""
        return cls.plain_class._from_args(args, is_commutative)

    @property
    def func(self) -> Any:
        """What makes a changed expression from changed arguments: SymPy's class."""
        return self.plain_class

    @property
    def parts(self) -> list[sympy.Expr]:
        """The factors or terms, as they are written."""
        return [part for group in self.groups for part in group]

    def _xreplace(self, rule: Mapping[Any, Any]) -> tuple[Any, bool]:
        if self in rule:
            return rule[self], True
        replaced = [[part._xreplace(rule) for part in group] for group in self.groups]
        if not any(changed for group in replaced for _, changed in group):
            return self, False
        return type(self)(*(tuple(part for part, _ in group) for group in replaced)), True

    def __eq__(self, other: object) -> bool:
        return bool(self.plain == (other.plain if isinstance(other, _AsMade) else other))

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.plain)


class WrittenProduct(_AsMade, sympy.Mul):  # type: ignore[misc]  # SymPy's classes are untyped
    """A product of groups of factors, such as (a_2 - y) · σ'(z_2) w_2 · σ'(z_1) x.

    Parameters
    ----------
    *groups : sympy.Expr or tuple of sympy.Expr
        Factors; those of one tuple stand close together.

    Examples
    --------
    >>> a, w, x = sympy.symbols("a w x")
    >>> WrittenProduct(x, (w, a)), WrittenProduct(x, (w, a)) == a * w * x
    (x * w*a, True)

    """

    plain_class = sympy.Mul

    def as_ordered_factors(self, order: str | None = None) -> list[sympy.Expr]:
        """Return the factors as they are written."""
        return self.parts

    @property
    def is_turned(self) -> bool:
        """Whether it begins with a minus sign that stands before it all."""
        return self.parts[0].could_extract_minus_sign() and not self.parts[0].is_Add

    def __neg__(self) -> sympy.Expr:
        if not self.is_turned:
            return super().__neg__()
        (first, *close), *others = self.groups
        return WrittenProduct((-first, *close), *others)

    @staticmethod
    def printed(group: tuple[sympy.Expr, ...], printer: Any) -> str:
        """Return one group as a printer of SymPy's prints it."""
        sign = printer._settings.get("mul_symbol_latex")
        if sign is not None:
            return (f" {sign.strip()} " if sign.strip() else " ").join(_bracketed(factor, printer) for factor in group)
        inverses = (1 / factor if factor.is_Pow and factor.exp.could_extract_minus_sign() else None for factor in group)
        return "*".join(
            _bracketed(factor, printer) if inverse is None else f"1/{printer.parenthesize(inverse, PRECEDENCE['Mul'])}"
            for factor, inverse in zip(group, inverses, strict=True)
        )

    def _sympystr(self, printer: Any) -> str:
        if self.is_turned:
            return f"-{printer._print(-self)}"
        return " * ".join(self.printed(group, printer) for group in self.groups if group)

    def _latex(self, printer: Any) -> str:
        if self.is_turned:
            return f"- {printer._print(-self)}"
        return r" \cdot ".join(self.printed(group, printer) for group in self.groups if group)


class WrittenSum(_AsMade, sympy.Add):  # type: ignore[misc]  # SymPy's classes are untyped
    """A sum of terms in their order, such as a_L - y.

    Examples
    --------
    >>> a, y = sympy.symbols("z y")
    >>> WrittenSum(a, -y), a - y, WrittenSum(a, -y) == a - y
    (z - y, -y + z, True)

    """

    plain_class = sympy.Add

    def as_ordered_terms(self, order: Any = None, data: bool = False) -> Any:  # SymPy's
        """Return the terms as they are written."""
        return super().as_ordered_terms(order, data) if data else self.parts


# SymPy sorts arguments by the names of their classes first: theirs must stand where the plain ones would.
WrittenProduct.__name__, WrittenSum.__name__ = "Mul", "Add"


def as_made(kind: Any, *arguments: sympy.Expr) -> sympy.Expr:
    """Return an expression of one of SymPy's classes with just these arguments, deep in which an order is kept.

    SymPy's own constructors answer from a cache, with whatever equals the expression and was made first: that may hold
    the plain sum.

    Examples
    --------
    >>> a, y = sympy.symbols("z y")
    >>> sympy.Abs(1 / (a - y)), as_made(sympy.Abs, 1 / WrittenSum(a, -y))
    (1/Abs(y - z), Abs(1/(z - y)))

    """
    if kind in (sympy.Add, sympy.Mul):
        return kind._from_args(arguments)
    made = sympy.Basic.__new__(kind, *arguments)
    if kind is sympy.Pow:
        made.is_commutative = True  # which its constructor would say
    return made


def _bracketed(factor: sympy.Expr, printer: Any) -> str:
    """Return a factor as a printer of SymPy's prints it, in brackets where it is a sum or negative."""
    return str(printer.parenthesize(factor, PRECEDENCE["Mul"], strict=not factor.could_extract_minus_sign()))
