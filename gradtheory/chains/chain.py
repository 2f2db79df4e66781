r"""The single-neuron chain of any depth, in SymPy: z_l = w_l a_{l-1} + b_l, a_l = σ_l(z_l), a_0 = x, C = loss(a_L, y).

Every z_l and a_l keeps its name. A gradient is then a product of O(L) factors; differentiating the nested composition
instead grows quadratically and ends in a recursion error at depths of 20 to 40.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral
from typing import Any

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.inputs import read_chain_depth, read_exact_parameters, read_real
from gradtheory.chains.backprop import Gradients, backprop
from gradtheory.chains.layers import LayerActivations, read_activations
from gradtheory.chains.losses import A, Loss, Y, loss_for
from gradtheory.chains.symbols import LayerProduct, LayerSymbols, LayerVariable, equation
from gradtheory.errors import InvalidArgument
from gradtheory.typing import ActivationLike

_COST = sympy.Symbol("C", real=True)
_LARGEST_CLOSED, _DEEPEST_CLOSED = (
    1_000,
    40,
)  # symbols and layers of a closed expression, beyond which SymPy stalls
_NAME = re.compile(r"(?P<letter>[wb])_?(?P<layer>[0-9]{1,9})")


@dataclass(frozen=True)
class Chain:
    r"""A chain of `depth` layers of one neuron each.

    Parameters
    ----------
    depth : int or sympy.Symbol
        The number L of layers, at least 1; or an integer symbol, for formulas in L.
    activation : str, Activation, sympy.Expr or sequence of these
        One for all layers, or one per layer. A chain of symbolic depth has one for all.
    loss : {"squared", "cross_entropy"}
        ½(a_L − y)², or −y·ln a_L − (1 − y)·ln(1 − a_L), which needs an output within (0, 1).

    Attributes
    ----------
    w, b, z, a, delta : LayerSymbols
        Weights, biases, pre-activations, activations (a[0] is x) and δ_l = ∂C/∂z_l, indexed by layer from 1 to L.
    x, y, C : sympy.Symbol
        Input, target and loss.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986), eqs 4–7.

    Examples
    --------
    >>> chain = Chain(depth=3, activation="sigmoid")
    >>> chain.gradient(chain.w[1])
    w_2*w_3*x*(a_3 - y)/(64*cosh(z_1/2)**2*cosh(z_2/2)**2*cosh(z_3/2)**2)
    >>> chain.layer_jacobian(2)
    w_2/(4*cosh(z_2/2)**2)

    """

    depth: int | sympy.Symbol
    activation: ActivationLike | Sequence[ActivationLike] = field(default="sigmoid", compare=False)
    loss: str = "squared"
    _activations: LayerActivations = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", read_chain_depth(self.depth))
        object.__setattr__(self, "_activations", read_activations(self.activation, self.depth))
        loss_for(self.loss, self._activation(self.depth))

    def _repr_latex_(self) -> str:
        rows = r" \\ ".join(f"{sympy.latex(each.lhs)} &= {sympy.latex(each.rhs)}" for each in self.forward())
        return rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"

    @property
    def is_symbolic(self) -> bool:
        """Whether the depth is a symbol."""
        return isinstance(self.depth, sympy.Symbol)

    def _activation(self, layer: int | sympy.Expr) -> Activation:
        return self._activations[layer - 1]

    @property
    def layer_activations(self) -> tuple[Activation, ...]:
        """The activation of each layer of a chain of concrete depth."""
        return tuple(self._activation(layer) for layer in self._layers(listed=True))

    @cached_property
    def loss_record(self) -> Loss:
        """The record of the loss."""
        return loss_for(self.loss, self._activation(self.depth))

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

    def forward(self) -> tuple[sympy.Eq, ...]:
        """Return z_l = w_l a_{l-1} + b_l and a_l = σ(z_l) layer by layer, then C = loss(a_L, y).

        For a symbolic depth, one pair of equations stands for every layer l.

        Examples
        --------
        >>> Chain(depth=1).forward()
        (Eq(z_1, b_1 + w_1*x), Eq(a_1, 1/(1 + exp(-z_1))), Eq(C, (a_1 - y)**2/2))

        """
        equations = []
        for layer in self._layers():
            z = self.z[layer]
            equations += [
                equation(z, self.w[layer] * self.a[layer - 1] + self.b[layer]),
                equation(self.a[layer], self._activation(layer).expr.xreplace({Z: z})),
            ]
        return *equations, equation(self.C, self._at_output(self.loss_record.expr))

    def slope(self, layer: int | sympy.Expr) -> sympy.Expr:
        """Return σ'(z_l), in the named z_l."""
        return self._activation(layer).slope_expr.xreplace({Z: self.z[layer]})

    def layer_jacobian(self, layer: int | sympy.Expr) -> sympy.Expr:
        """Return ∂a_l/∂a_{l-1} = σ'(z_l) w_l.

        Examples
        --------
        >>> Chain(depth=3, activation="arctan").layer_jacobian(2)
        w_2/(z_2**2 + 1)

        """
        return self.slope(layer) * self.w[layer]

    def layer_jacobians(self, first: int | sympy.Expr, last: int | sympy.Expr) -> list[sympy.Expr]:
        """Return σ'(z_k) w_k for every layer from `first` to `last`, or their product if one of these is symbolic.

        Examples
        --------
        >>> Chain(depth=3, activation="arctan").layer_jacobians(2, 3)
        [w_2/(z_2**2 + 1), w_3/(z_3**2 + 1)]

        """
        for name, layer in (("first", first), ("last", last)):
            if not isinstance(layer, Integral) and not (isinstance(layer, sympy.Expr) and layer.is_integer):
                raise InvalidArgument(name, layer, "must be an integer, or an integer symbol")
        symbols = set().union(*(each.free_symbols for each in (first, last) if isinstance(each, sympy.Expr)))
        if not symbols:
            return [self.layer_jacobian(layer) for layer in range(int(first), int(last) + 1)]
        layer = next(each for each in map(self.other_layer, "kmn") if each.name not in {str(used) for used in symbols})
        return [LayerProduct(self.layer_jacobian(layer), (layer, first, last))]

    def gradient(self, wrt: sympy.Expr) -> sympy.Expr:
        r"""Return ∂C/∂w_l, ∂C/∂b_l or ∂C/∂x as a product in the named z_l and a_l.

        ∂C/∂w_l = ∂C/∂a_L · Π_{k=l+1}^{L} σ'(z_k) w_k · σ'(z_l) · a_{l-1}; for b_l without the last factor.

        Parameters
        ----------
        wrt : sympy.Expr
            One of this chain's w[l], b[l] or x; in a chain of symbolic depth also with a symbolic l.

        Returns
        -------
        sympy.Expr
            O(L) factors. For a symbolic depth the middle is a `sympy.Product`, which `.subs` of numbers followed by
            `.doit()` turns into the expression of the concrete chain.

        Raises
        ------
        InvalidArgument
            If `wrt` is no such symbol.

        Examples
        --------
        >>> chain = Chain(depth=2, activation="arctan")
        >>> chain.gradient(chain.b[1])
        w_2*(a_2 - y)/((z_1**2 + 1)*(z_2**2 + 1))
        >>> L, l = sympy.symbols("L l", integer=True, positive=True)
        >>> deep = Chain(depth=L, activation="arctan")
        >>> deep.gradient(deep.b[l])
        (-y + a_L)*Product(w_k/(z_k**2 + 1), (k, l + 1, L))/(z_l**2 + 1)
        >>> deep.gradient(deep.b[l]).subs({l: 1, L: 2}).doit() == chain.gradient(chain.b[1])
        True

        """
        letter, layer = self.located(wrt)
        if letter == "a":
            return sympy.Mul(self.loss_slope(), *self.layer_jacobians(1, self.depth))
        last = self.a[layer - 1] if letter == "w" else 1
        return sympy.Mul(self.loss_slope(), *self.layer_jacobians(layer + 1, self.depth), self.slope(layer), last)

    def backward(self) -> tuple[sympy.Eq, ...]:
        """Return the recursion δ_L = ∂C/∂a_L σ'(z_L), δ_l = σ'(z_l) w_{l+1} δ_{l+1}, from the last layer to the first.

        Examples
        --------
        >>> Chain(depth=2, activation="arctan").backward()
        (Eq(delta_2, (a_2 - y)/(z_2**2 + 1)), Eq(delta_1, delta_2*w_2/(z_1**2 + 1)))

        """
        below = [self.other_layer("l")] if self.is_symbolic else range(self.depth - 1, 0, -1)
        return (
            equation(self.delta[self.depth], self.loss_slope() * self.slope(self.depth)),
            *(
                equation(self.delta[layer], self.slope(layer) * self.w[layer + 1] * self.delta[layer + 1])
                for layer in below
            ),
        )

    def gradients(self) -> dict[sympy.Expr, sympy.Expr]:
        """Return all of ∂C/∂w_l = δ_l a_{l-1}, ∂C/∂b_l = δ_l and ∂C/∂x = w_1 δ_1, in the named δ_l of `backward`.

        Examples
        --------
        >>> Chain(depth=1).gradients()
        {w_1: delta_1*x, b_1: delta_1, x: delta_1*w_1}

        """
        found: dict[sympy.Expr, sympy.Expr] = {}
        for layer in self._layers():
            found[self.w[layer]] = self.delta[layer] * self.a[layer - 1]
            found[self.b[layer]] = self.delta[layer]
        found[self.x] = self.w[1] * self.delta[1]
        return found

    def substitute(
        self, expr: sympy.Basic, *, x: Any = None, y: Any = None, w: Any = None, b: Any = None
    ) -> sympy.Basic:
        """Return an expression of this chain with every z_l, a_l and δ_l eliminated.

        Parameters
        ----------
        expr : sympy.Basic
            An expression in this chain's symbols.
        x, y : number, optional
            Exact values for input and target; they stay symbols unless given.
        w, b : sequence of numbers, optional
            Exact values for the weights and biases of all layers.

        Returns
        -------
        sympy.Basic
            The closed expression: nested L deep, so meant for small depths.

        Raises
        ------
        InvalidArgument
            If the chain's depth is symbolic, or so great that SymPy cannot nest the expression.

        Examples
        --------
        >>> chain = Chain(depth=2, activation="arctan")
        >>> chain.substitute(chain.a[2])
        atan(b_2 + w_2*atan(b_1 + w_1*x))
        >>> chain.substitute(chain.a[2], x=1, w=[1, 2], b=[0, "1/2"])
        atan(1/2 + pi/2)

        """
        if not isinstance(expr, sympy.Basic):
            raise InvalidArgument("expr", expr, "must be a SymPy expression in this chain's symbols")
        layers, size = self._layers(listed=True), 1
        values = self._given(x, y, w, b)
        for layer in layers:
            sigma, z = self._activation(layer), self.z[layer]
            values[z] = (self.w[layer] * self.a[layer - 1] + self.b[layer]).xreplace(values)
            size = 1 if values[z].is_Rational else sigma.expr.count(Z) * (size + 2)
            if size > _LARGEST_CLOSED or (layer > _DEEPEST_CLOSED and size > 1):
                raise InvalidArgument(
                    "depth",
                    self.depth,
                    f"is too great: with layer {layer} the closed expression nests too deep or exceeds "
                    f"{_LARGEST_CLOSED} symbols; keep the named z_l and a_l",
                )
            values[self.a[layer]] = sigma.expr.xreplace({Z: values[z]})
        for error in self.backward() if expr.free_symbols & set(self.delta) else ():
            values[error.lhs] = error.rhs.xreplace(values)
        return expr.xreplace(values)

    def backprop(self, x: Any, y: Any, w: Any, b: Any, *, reduction: str = "sum") -> Gradients:
        """Return loss and gradients in float64 NumPy, for a whole batch.

        Parameters
        ----------
        x, y : array_like
            Inputs and targets; with w[0] and b[0] they broadcast to the batch shape.
        w, b : array_like, shape (L,) or (L, *batch)
            Weights and biases: shared by all samples, or one set per sample.
        reduction : {"sum", "none"}
            Whether loss and gradients are those of the sum over the batch, or per sample.

        Returns
        -------
        Gradients
            `.loss`, `.w`, `.b`, `.x`; its documentation states the shapes.

        Raises
        ------
        InvalidArgument
            If an array is not real and finite, or shapes do not fit, or the chain's depth is symbolic.

        Examples
        --------
        >>> result = Chain(depth=2).backprop(x=[0.5, -1.0], y=[1.0, 0.0], w=[2.0, -3.0], b=[0.0, 1.0])
        >>> result.w.shape, result.x.shape, round(result.loss, 6)
        ((2,), (2,), 0.509086)

        """
        return backprop(self.layer_activations, self.loss_record, x, y, w, b, reduction=reduction)

    def symbol(self, name: str) -> sympy.Symbol:
        """Return this chain's symbol of that name, such as "w1", "b_2" or "x".

        Examples
        --------
        >>> Chain(depth=3).symbol("w1")
        w_1

        """
        match = _NAME.fullmatch(name) if isinstance(name, str) else None
        if name == "x":
            return self.x
        if match is None:
            raise InvalidArgument("wrt", name, "must name a weight, a bias or the input, such as w1, b2 or x")
        return (self.w if match["letter"] == "w" else self.b)[int(match["layer"])]

    def _layers(self, *, listed: bool = False) -> Sequence[int | sympy.Symbol]:
        """Return 1 … L, or for a symbolic depth the one symbol l that stands for every layer."""
        if not self.is_symbolic:
            return range(1, self.depth + 1)
        if listed:
            raise InvalidArgument("depth", self.depth, "must be a number here; build the chain with an int")
        return [self.other_layer("l")]

    def other_layer(self, name: str) -> sympy.Symbol:
        """Return a symbol for any layer, other than the symbol of the depth."""
        name = f"{name}'" if str(self.depth) == name else name
        return sympy.Symbol(name, integer=True, positive=True)

    def _at_output(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.xreplace({A: self.a[self.depth]})

    def loss_slope(self) -> sympy.Expr:
        """Return ∂C/∂a_L."""
        return self._at_output(self.loss_record.derivative)

    def located(self, wrt: Any) -> tuple[str, int | sympy.Expr]:
        """Return the letter and the layer of a symbol of this chain; x is a_0."""
        if isinstance(wrt, sympy.Basic) and wrt == self.x:
            return "a", 0
        if isinstance(wrt, LayerVariable) and self.is_symbolic:
            letter, layer = str(wrt.base.label), wrt.indices[0]
        else:
            match = _NAME.fullmatch(wrt.name) if isinstance(wrt, sympy.Symbol) else None
            letter, layer = (match["letter"], int(match["layer"])) if match else ("", 0)
        within = self.is_symbolic or layer <= self.depth
        if letter in ("w", "b") and layer != 0 and within and wrt == getattr(self, letter)[layer]:
            return letter, layer
        raise InvalidArgument("wrt", wrt, f"must be w[1] … w[{self.depth}], b[1] … b[{self.depth}] or x of this chain")

    def _given(self, x: Any, y: Any, w: Any, b: Any) -> dict[sympy.Expr, sympy.Expr]:
        values = {
            symbol: read_real(value, name)
            for symbol, value, name in ((self.x, x, "x"), (self.y, y, "y"))
            if value is not None
        }
        for symbols, numbers, name in ((self.w, w, "w"), (self.b, b, "b")):
            if numbers is not None:
                values |= dict(zip(symbols, read_exact_parameters(numbers, name, len(symbols)), strict=True))
        return values
