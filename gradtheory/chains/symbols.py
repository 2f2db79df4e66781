"""Symbols that carry a layer number: w[1] is the symbol w_1, w[l] for a symbolic l becomes w_1 when l becomes 1."""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import sympy

from gradtheory.errors import InvalidArgument


class LayerVariable(sympy.Indexed):  # type: ignore[misc]  # SymPy's classes are untyped
    """A quantity of a layer whose number is symbolic, such as w_l or z_{l+1}.

    Putting in an integer gives the plain symbol of that layer, so a product over layers, once its limits are numbers,
    consists of the same symbols as a chain of that depth. Layer 0 of `a` is the input x.
    """

    def __new__(cls, base: sympy.IndexedBase, layer: sympy.Expr) -> sympy.Expr:  # noqa: D102  # the class's docstring
        layer = sympy.sympify(layer, strict=True)
        if layer.is_Integer:
            return layer_symbol(str(base.label), int(layer))
        return super().__new__(cls, base, layer)

    def _sympystr(self, printer: Any) -> str:
        layer = printer._print(self.indices[0])
        return f"{self.base.label}_{layer}" if self.indices[0].is_Atom else f"{self.base.label}_({layer})"

    def _latex(self, printer: Any) -> str:
        return f"{printer._print(sympy.Symbol(str(self.base.label)))}_{{{printer._print(self.indices[0])}}}"


class LayerProduct(sympy.Product):  # type: ignore[misc]  # SymPy's classes are untyped
    """A product over layers whose `doit` writes out one factor a layer, as a chain of that depth has them.

    SymPy's own constructor folds piecewise factors, and its `doit` looks for closed forms: both would lose the factors.
    """

    def __new__(cls, factor: sympy.Expr, *limits: Any, **_: Any) -> "LayerProduct":  # noqa: D102  # likewise
        self = sympy.Expr.__new__(cls, factor, *(sympy.sympify(each, strict=True) for each in limits))
        self.is_commutative = True
        return self  # type: ignore[no-any-return]  # SymPy's constructors are untyped

    def _sympystr(self, printer: Any) -> str:
        return f"Product({', '.join(printer._print(each) for each in self.args)})"

    def doit(self, **hints: Any) -> sympy.Expr:
        """Write the product out if both limits are numbers."""
        layer, first, last = self.limits[0]
        if not (first.is_Integer and last.is_Integer):
            return self
        return sympy.Mul(*(self.function.xreplace({layer: sympy.Integer(each)}) for each in range(first, last + 1)))


def equation(left: sympy.Expr, right: sympy.Expr) -> sympy.Eq:
    """Return an equation as it stands; evaluating it would try to decide it."""
    return sympy.Eq(left, right, evaluate=False)


def layer_symbol(name: str, layer: int) -> sympy.Symbol:
    """Return the real symbol of a quantity in a numbered layer; a_0 is x."""
    return sympy.Symbol("x" if (name, layer) == ("a", 0) else f"{name}_{layer}", real=True)


@dataclass(frozen=True)
class LayerSymbols:
    """The symbols of one quantity in every layer of a chain, indexed by layer number.

    Parameters
    ----------
    name : str
        The letter.
    first : int
        The least layer number: 1, or 0 for the activations a.
    depth : int or sympy.Symbol
        The greatest layer number.

    Examples
    --------
    >>> w = LayerSymbols("w", 1, 3)
    >>> w[2], list(w), len(w)
    (w_2, [w_1, w_2, w_3], 3)
    >>> w[sympy.Symbol("l", integer=True)]
    w_l

    """

    name: str
    first: int
    depth: int | sympy.Symbol

    def __getitem__(self, layer: int | sympy.Expr) -> sympy.Expr:
        if isinstance(layer, Integral | sympy.Integer) and not isinstance(layer, bool):
            number = int(layer)
            if self.first <= number and (isinstance(self.depth, sympy.Symbol) or number <= self.depth):
                return layer_symbol(self.name, number)
        elif isinstance(layer, sympy.Expr) and layer.is_integer and layer.free_symbols:
            return LayerVariable(sympy.IndexedBase(self.name, real=True), layer)
        raise InvalidArgument(
            f"{self.name}[layer]",
            layer,
            f"the layer must be an integer from {self.first} to {self.depth}, or an integer symbol",
        )

    def __len__(self) -> int:
        return self._last() - self.first + 1

    def __iter__(self) -> Iterator[sympy.Symbol]:
        return (layer_symbol(self.name, layer) for layer in range(self.first, self._last() + 1))

    def _last(self) -> int:
        if isinstance(self.depth, sympy.Symbol):
            raise InvalidArgument("depth", self.depth, "must be a number to list the layers one by one")
        return self.depth
