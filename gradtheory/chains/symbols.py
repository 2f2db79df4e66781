"""Symbols that carry a layer number: w[1] is the symbol w_1, w[l] for a symbolic l becomes w_1 when l becomes 1."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy

from gradtheory.arithmetic.inputs import is_int, read_exact_parameters, read_real
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import WrittenProduct, WrittenSum
from gradtheory.typing import NumberLike

A = sympy.Symbol("a", real=True)  # the output of the last layer
Y = sympy.Symbol("y", real=True)  # the target
_COST = sympy.Symbol("C", real=True)
_NAME = re.compile(r"(?P<letter>[wb])_?(?P<layer>[0-9]{1,9})")


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
        if is_int(layer):
            if self.has(int(layer)):
                return layer_symbol(self.name, int(layer))
        elif isinstance(layer, sympy.Expr) and layer.is_integer and layer.free_symbols:
            return LayerVariable(sympy.IndexedBase(self.name, real=True), layer)
        raise InvalidArgument(
            f"{self.name}[layer]",
            layer,
            f"the layer must be an integer from {self.first} to {self.depth}, or an integer symbol",
        )

    def has(self, layer: int) -> bool:
        """Whether there is a layer of that number; in a chain of symbolic depth, whether there may be."""
        return self.first <= layer and (isinstance(self.depth, sympy.Symbol) or layer <= self.depth)

    def __len__(self) -> int:
        return self._last() - self.first + 1

    def __iter__(self) -> Iterator[sympy.Symbol]:
        return (layer_symbol(self.name, layer) for layer in range(self.first, self._last() + 1))

    def _last(self) -> int:
        if isinstance(self.depth, sympy.Symbol):
            raise InvalidArgument("depth", self.depth, "must be a number to list the layers one by one")
        return self.depth


@dataclass(frozen=True)
class ChainSymbols:
    """All symbols of a chain of some depth L.

    Attributes
    ----------
    w, b, z, a, delta : LayerSymbols
        Weights, biases, pre-activations, activations (a[0] is x) and δ_l = ∂C/∂z_l, indexed by layer from 1 to L.
    x, y, C : sympy.Symbol
        Input, target and loss.

    """

    depth: int | sympy.Symbol

    @property
    def is_symbolic(self) -> bool:
        """Whether the depth is a symbol."""
        return isinstance(self.depth, sympy.Symbol)

    @property
    def x(self) -> sympy.Symbol:
        """The input, a_0."""
        return self.a[0]

    @property
    def y(self) -> sympy.Symbol:
        """The target."""
        return Y

    @property
    def C(self) -> sympy.Symbol:  # noqa: N802  # the loss is C in every paper
        """The loss."""
        return _COST

    @property
    def w(self) -> LayerSymbols:
        """The weights w[1] … w[L]."""
        return LayerSymbols("w", 1, self.depth)

    @property
    def b(self) -> LayerSymbols:
        """The biases b[1] … b[L]."""
        return LayerSymbols("b", 1, self.depth)

    @property
    def z(self) -> LayerSymbols:
        """The pre-activations z[1] … z[L]."""
        return LayerSymbols("z", 1, self.depth)

    @property
    def a(self) -> LayerSymbols:
        """The activations a[0] = x, a[1] … a[L]."""
        return LayerSymbols("a", 0, self.depth)

    @property
    def delta(self) -> LayerSymbols:
        """The errors delta[1] … delta[L], δ_l = ∂C/∂z_l."""
        return LayerSymbols("delta", 1, self.depth)

    def symbol(self, name: str) -> sympy.Symbol:
        """Return the symbol of that name: of a weight, a bias or the input, such as "w1", "b_2" or "x".

        Examples
        --------
        >>> ChainSymbols(3).symbol("w1")
        w_1

        """
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        if isinstance(name, str) and name == "x":
            return self.x
        if match is None:
            raise InvalidArgument("wrt", name, "must name a weight, a bias or the input, such as w1, b2 or x")
        layers = self.w if match["letter"] == "w" else self.b
        if not layers.has(int(match["layer"])):
            such = f"{match['letter']}{layers.first}"
            raise InvalidArgument("wrt", name, f"must be of layer {layers.first} to {self.depth}, such as {such}")
        return layers[int(match["layer"])]

    def locate(self, wrt: sympy.Expr) -> tuple[str, int | sympy.Expr]:
        """Return the letter and the layer of a weight, a bias or the input x, which is a_0; refuse all else.

        Examples
        --------
        >>> ChainSymbols(3).locate(ChainSymbols(3).w[2])
        ('w', 2)

        """
        if isinstance(wrt, sympy.Basic) and wrt == self.x:
            return "a", 0
        if isinstance(wrt, LayerVariable) and self.is_symbolic:
            letter, layer = str(wrt.base.label), wrt.indices[0]
        else:
            match = _NAME.fullmatch(wrt.name) if isinstance(wrt, sympy.Symbol) else None
            letter, layer = (match["letter"], int(match["layer"])) if match else ("", 0)
        is_within = self.is_symbolic or layer <= self.depth
        if letter in ("w", "b") and layer != 0 and is_within and wrt == getattr(self, letter)[layer]:
            return letter, layer
        rule = f"must be w[1] … w[{self.depth}], b[1] … b[{self.depth}] or x of this chain, such as chain.w[1]"
        raise InvalidArgument("wrt", wrt, rule)

    def layer_index(self, name: str) -> sympy.Symbol:
        """Return a symbol of this name, or with a prime, that stands for any layer: not the symbol of the depth."""
        name = f"{name}'" if str(self.depth) == name else name
        return sympy.Symbol(name, integer=True, positive=True)

    def layers(self) -> Sequence[int | sympy.Symbol]:
        """Return 1 … L, or for a symbolic depth the one symbol l that stands for every layer."""
        return [self.layer_index("l")] if self.is_symbolic else self.layer_numbers()

    def layers_before_last(self) -> Sequence[int | sympy.Symbol]:
        """Return L - 1 … 1, in the order of the backward pass, or for a symbolic depth the one symbol l."""
        return [self.layer_index("l")] if self.is_symbolic else self.layer_numbers()[-2::-1]

    def layer_numbers(self) -> range:
        """Return 1 … L; a symbolic depth is refused."""
        if isinstance(self.depth, sympy.Symbol):
            raise InvalidArgument("depth", self.depth, "must be a number here; build the chain with an int")
        return range(1, self.depth + 1)

    def exact_values(
        self,
        x: NumberLike | None,
        y: NumberLike | None,
        w: Sequence[NumberLike] | None,
        b: Sequence[NumberLike] | None,
    ) -> dict[sympy.Symbol, sympy.Expr]:
        """Return the symbols with the exact numbers that are to stand for them; what is None stays a symbol."""
        scalars = (self.x, x, "x"), (self.y, y, "y")
        values = {symbol: read_real(number, name) for symbol, number, name in scalars if number is not None}
        for symbols, numbers, name in ((self.w, w, "w"), (self.b, b, "b")):
            if numbers is not None:
                values |= zip(symbols, read_exact_parameters(numbers, name, len(symbols)), strict=True)
        return values


def pre_activation(symbols: ChainSymbols, layer: int | sympy.Expr) -> sympy.Expr:
    """Return w_l a_{l-1} + b_l."""
    return WrittenSum(WrittenProduct((symbols.w[layer], symbols.a[layer - 1])), symbols.b[layer])
