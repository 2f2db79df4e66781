r"""The single-neuron chain of any depth, in SymPy: z_l = w_l a_{l-1} + b_l, a_l = σ_l(z_l), a_0 = x, C = loss(a_L, y).

Every z_l and a_l keeps its name. A gradient is then a product of O(L) factors; differentiating the nested composition
instead grows quadratically and ends in a recursion error at depths of 20 to 40.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sympy

from gradtheory.activations import Activation, Z
from gradtheory.arithmetic.inputs import is_int, read_chain_depth
from gradtheory.chains.backprop import Gradients, backprop
from gradtheory.chains.layers import LayerActivations, in_brief, read_activations
from gradtheory.chains.losses import Loss, loss_for
from gradtheory.chains.one_sided import slopes_at_number
from gradtheory.chains.symbols import A, ChainSymbols, LayerProduct, equation, pre_activation
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import WrittenProduct, latex
from gradtheory.typing import ActivationLike, ArrayLike, NumberLike

_MOST_SYMBOLS, _MOST_LAYERS = 1_000, 40  # of a closed expression, beyond which SymPy stalls


@dataclass(frozen=True, repr=False)
class Chain(ChainSymbols):
    r"""A chain of `depth` layers of one neuron each.

    Parameters
    ----------
    depth : int or sympy.Symbol
        The number L of layers, at least 1; or an integer symbol, for formulas in L.
    activation : str, Activation, sympy.Expr or sequence of these
        One for all layers, or one per layer. A chain of symbolic depth has one for all.
    loss : {"squared", "cross_entropy"} or Loss
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
        If an argument breaks a rule, or the loss does not fit the last activation.

    References
    ----------
    Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", Nature 323 (1986), eqs 4–7.

    Examples
    --------
    >>> chain = Chain(depth=3, activation="sigmoid")
    >>> chain.gradient(chain.w[1])
    (a_3 - y) * 1/(4*cosh(z_3/2)**2)*w_3 * 1/(4*cosh(z_2/2)**2)*w_2 * 1/(4*cosh(z_1/2)**2)*x
    >>> chain.layer_jacobian(2)
    w_2/(4*cosh(z_2/2)**2)

    """

    activation: ActivationLike | Sequence[ActivationLike] = field(default="sigmoid", compare=False)
    loss: str | Loss = "squared"
    _activations: LayerActivations = field(init=False, repr=False)
    loss_record: Loss = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "depth", read_chain_depth(self.depth))
        object.__setattr__(self, "_activations", read_activations(self.activation, self.depth))
        object.__setattr__(self, "loss_record", loss_for(self.loss, self._activation(self.depth)))

    def __repr__(self) -> str:
        activation = in_brief(self.activation, self._activations)
        return f"Chain(depth={self.depth}, activation={activation}, loss={self.loss!r})"

    def _repr_latex_(self) -> str:
        rows = r" \\ ".join(f"{latex(row.lhs)} &= {latex(row.rhs)}" for row in self.forward())
        return rf"$\displaystyle \begin{{aligned}} {rows} \end{{aligned}}$"

    def _activation(self, layer: int | sympy.Expr) -> Activation:
        return self._activations[layer - 1]

    @property
    def layer_activations(self) -> tuple[Activation, ...]:
        """The activation of each layer of a chain of concrete depth."""
        return tuple(self._activation(layer) for layer in self.layer_numbers())

    def forward(self) -> tuple[sympy.Eq, ...]:
        """Return z_l = w_l a_{l-1} + b_l and a_l = σ(z_l) layer by layer, then C = loss(a_L, y).

        For a symbolic depth, one pair of equations stands for every layer l.

        Examples
        --------
        >>> Chain(depth=1).forward()
        (Eq(z_1, w_1*x + b_1), Eq(a_1, 1/(1 + exp(-z_1))), Eq(C, 1/2*(a_1 - y)**2))

        """
        equations = []
        for layer in self.layers():
            z = self.z[layer]
            equations += [
                equation(z, pre_activation(self, layer)),
                equation(self.a[layer], self._activation(layer).expr.xreplace({Z: z})),
            ]
        return *equations, equation(self.C, self._at_output(self.loss_record.expr))

    def _at_output(self, expr: sympy.Expr) -> sympy.Expr:
        return expr.xreplace({A: self.a[self.depth]})

    def loss_slope(self) -> sympy.Expr:
        """Return ∂C/∂a_L, in the named a_L."""
        return self._at_output(self.loss_record.slope_expr)

    def slope(self, layer: int | sympy.Expr) -> sympy.Expr:
        """Return σ'(z_l), in the named z_l."""
        z = self.z[layer]  # refuses what is no layer
        return self._activation(layer).slope_expr.xreplace({Z: z})

    def layer_jacobian(self, layer: int | sympy.Expr) -> sympy.Expr:
        """Return ∂a_l/∂a_{l-1} = σ'(z_l) w_l."""
        return self.slope(layer) * self.w[layer]

    def layer_jacobians(self, first: int | sympy.Expr, last: int | sympy.Expr) -> list[sympy.Expr]:
        """Return σ'(z_k) w_k for every layer from `first` to `last`, or their product if one of these is symbolic."""
        for name, layer in (("first", first), ("last", last)):
            if not is_int(layer) and not (isinstance(layer, sympy.Expr) and layer.is_integer):
                raise InvalidArgument(name, layer, "must be an integer, or an integer symbol")
        symbols = sympy.Tuple(first, last).free_symbols
        if not symbols:
            return [self.layer_jacobian(layer) for layer in range(int(first), int(last) + 1)]
        taken = {symbol.name for symbol in symbols}
        layer = next(layer for layer in map(self.layer_index, "kmn") if layer.name not in taken)
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
            O(L) factors, printed from the loss back. For a symbolic depth the middle is a `sympy.Product`;
            `.subs` and `.doit()` turn it into the expression of the concrete chain.

        Raises
        ------
        InvalidArgument
            If `wrt` is no such symbol.

        Examples
        --------
        >>> chain = Chain(depth=2, activation="arctan")
        >>> chain.gradient(chain.b[1])
        (a_2 - y) * 1/(z_2**2 + 1)*w_2 * 1/(z_1**2 + 1)
        >>> L, l = sympy.symbols("L l", integer=True, positive=True)
        >>> deep = Chain(depth=L, activation="arctan")
        >>> deep.gradient(deep.b[l])
        (a_L - y) * Product(w_k/(z_k**2 + 1), (k, l + 1, L)) * 1/(z_l**2 + 1)
        >>> deep.gradient(deep.b[l]).subs({l: 1, L: 2}).doit() == chain.gradient(chain.b[1])
        True

        """
        letter, layer = self.locate(wrt)
        first = 1 if letter == "a" else layer + 1
        above: Sequence[sympy.Expr | tuple[sympy.Expr, ...]] = self.layer_jacobians(first, self.depth)
        if not self.is_symbolic:  # layer by layer, and from the last
            above = [(self.slope(k), self.w[k]) for k in range(int(self.depth), first - 1, -1)]
        if letter == "a":
            return WrittenProduct(self.loss_slope(), *above)
        last = (self.a[layer - 1],) if letter == "w" else ()
        return WrittenProduct(self.loss_slope(), *above, (self.slope(layer), *last))

    def backward(self) -> tuple[sympy.Eq, ...]:
        """Return the recursion δ_L = ∂C/∂a_L σ'(z_L), δ_l = δ_{l+1} w_{l+1} σ'(z_l), from the last layer to the first.

        Examples
        --------
        >>> Chain(depth=2, activation="arctan").backward()
        (Eq(delta_2, (a_2 - y) * 1/(z_2**2 + 1)), Eq(delta_1, delta_2*w_2*1/(z_1**2 + 1)))

        """
        errors = [equation(self.delta[self.depth], WrittenProduct(self.loss_slope(), self.slope(self.depth)))]
        for layer in self.layers_before_last():
            back = WrittenProduct((self.delta[layer + 1], self.w[layer + 1], self.slope(layer)))
            errors.append(equation(self.delta[layer], back))
        return tuple(errors)

    def gradients(self) -> dict[sympy.Expr, sympy.Expr]:
        """Return all of ∂C/∂w_l = δ_l a_{l-1}, ∂C/∂b_l = δ_l and ∂C/∂x = δ_1 w_1, in the named δ_l of `backward`.

        Examples
        --------
        >>> Chain(depth=1).gradients()
        {w_1: delta_1*x, b_1: delta_1, x: delta_1*w_1}

        """
        gradients: dict[sympy.Expr, sympy.Expr] = {}
        for layer in self.layers():
            gradients[self.w[layer]] = WrittenProduct((self.delta[layer], self.a[layer - 1]))
            gradients[self.b[layer]] = self.delta[layer]
        gradients[self.x] = WrittenProduct((self.delta[1], self.w[1]))
        return gradients

    def substitute(
        self,
        expr: sympy.Basic,
        *,
        x: NumberLike | None = None,
        y: NumberLike | None = None,
        w: Sequence[NumberLike] | None = None,
        b: Sequence[NumberLike] | None = None,
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
            If an argument is no expression or no exact number, a sequence has not one number per layer, or the chain's
            depth is symbolic or so great that SymPy cannot nest the expression.

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
        layers, size = self.layer_numbers(), 1
        values = self.exact_values(x, y, w, b)
        for layer in layers:
            sigma, z = self._activation(layer), self.z[layer]
            values[z] = (self.w[layer] * self.a[layer - 1] + self.b[layer]).xreplace(values)
            size = 1 if values[z].is_Rational else sigma.expr.count(Z) * (size + 2)
            if size > _MOST_SYMBOLS or (layer > _MOST_LAYERS and size > 1):
                why = f"with layer {layer} the closed expression nests too deep or exceeds {_MOST_SYMBOLS} symbols"
                raise InvalidArgument("depth", self.depth, f"is too great: {why}; keep the named z_l and a_l")
            values |= {self.a[layer]: sigma.expr.xreplace({Z: values[z]})} | slopes_at_number(sigma, z, values[z])
        for error in self.backward() if expr.free_symbols & set(self.delta) else ():
            values[error.lhs] = error.rhs.xreplace(values)
        return expr.xreplace(values)

    def backprop(self, x: ArrayLike, y: ArrayLike, w: ArrayLike, b: ArrayLike, *, reduction: str = "sum") -> Gradients:
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
