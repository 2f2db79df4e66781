r"""The chain rule on a chain: ∂C/∂v from the definitions of the layers, one of them at a time.

Every quantity v stands in the definition of exactly one quantity u, its successor, so that ∂C/∂v = ∂C/∂u · ∂u/∂v with
the derivative of u's own definition. Nothing is taken from the formulas of `Chain` for gradients: they are what is
checked.
"""

from dataclasses import dataclass
from functools import cached_property

import sympy

from gradtheory.chains.chain import Chain
from gradtheory.chains.symbols import LayerProduct, LayerVariable
from gradtheory.derivation.language import Partial, Sigma

_FARTHEST = 6  # quantities that are followed in a chain of symbolic depth, which has no end


@dataclass(frozen=True)
class ChainRule:
    """The definitions of a chain.

    Parameters
    ----------
    chain : Chain
        Of concrete or symbolic depth.

    """

    chain: Chain

    @cached_property
    def _definitions(self) -> dict[sympy.Expr, sympy.Expr]:
        """What each z_l, a_l and C is."""
        return {each.lhs: each.rhs for each in self.chain.forward()}

    def local(self, partial: Partial) -> tuple[sympy.Expr, Partial | sympy.Expr]:
        """Return ∂u/∂v and ∂C/∂u, where u is the successor of v; the second is 1 where u is C itself."""
        of, by = partial.args
        successor, slope = self._slope(by)
        return slope, sympy.S.One if successor == of else Partial(of, successor)

    def _slope(self, quantity: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
        """Return the successor u of a quantity v, and ∂u/∂v."""
        if quantity not in self._slopes:  # what `diff` calls, which first spends most of the time on questions
            successor = self._successor(quantity)
            self._slopes[quantity] = successor, self._definition(successor)._eval_derivative(quantity)
        return self._slopes[quantity]

    @cached_property
    def _slopes(self) -> dict[sympy.Expr, tuple[sympy.Expr, sympy.Expr]]:
        return {}

    def reduced(self, expr: sympy.Expr, known: frozenset[sympy.Expr] = frozenset()) -> sympy.Expr:
        """Return an expression with its partial derivatives followed up to the known ones, or to the end."""
        named = expr.xreplace({delta: Partial(self.chain.C, z) for delta, z in self._deltas(expr)})
        replaced = {each: self._followed(each, known) for each in named.atoms(Partial)}
        return named.xreplace(replaced) if replaced else named

    def with_activations(self, expr: sympy.Expr) -> sympy.Expr:
        """Return an expression with σ(z_l) in the place of a_l, for the layers of a chain of concrete depth."""
        activations = {each: value for each, value in self._definitions.items() if isinstance(value, Sigma)}
        return expr.xreplace(activations)

    def stated(self, expr: sympy.Expr) -> frozenset[sympy.Expr]:
        """Return the partial derivatives in an expression, δ_l among them."""
        return frozenset({*expr.atoms(Partial), *(Partial(self.chain.C, z) for _, z in self._deltas(expr))})

    def factors_of_layers(self, product: sympy.Expr) -> sympy.Expr:
        """Return a product over layers with its partial derivatives, such as ∂a_k/∂a_{k-1}, followed to the end."""
        return self.reduced(product) if product.atoms(LayerProduct) else product

    def by_induction(self, left: sympy.Expr, right: sympy.Expr) -> bool:
        """Prove a product formula for a symbolic layer l, from the last layer and from l + 1 to l."""
        layers = [each for each in (left.atoms(LayerVariable) or ()) if each.indices[0].is_Symbol]
        start, rest = sympy.S.One, next(iter(self.stated(left)), None)
        if rest is None or not layers or not right.atoms(LayerProduct) or self.stated(right):
            return False
        layer = layers[0].indices[0]
        while isinstance(rest, Partial) and rest.args[1] != self.chain.z[layer]:
            slope, rest = self.local(rest)
            start = start * slope
        if not isinstance(rest, Partial):
            return False
        delta = right / start
        slope, above = self.local(rest)
        step, _ = self.local(above)
        depth = self.chain.depth
        last = self.reduced(Partial(self.chain.C, self.chain.z[depth]))
        following = delta.subs(layer, layer + 1)
        return bool(
            (_written_out(delta.subs(layer, depth), layer, depth) - last).equals(0)
            and sympy.expand(_peeled(delta, layer) - slope * step * following) == 0
        )

    def _followed(self, partial: Partial, known: frozenset[sympy.Expr]) -> sympy.Expr:
        factors = []
        rest: sympy.Expr = partial
        while isinstance(rest, Partial) and rest not in known:
            slope, rest = self.local(rest)
            factors.append(slope)
            if self.chain.is_symbolic and len(factors) == _FARTHEST:
                break
        return sympy.Mul(*factors, rest)

    def _deltas(self, expr: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Expr]]:
        """Return each δ_l in an expression with its z_l: δ_l is ∂C/∂z_l."""
        deltas = []
        for symbol in expr.free_symbols:
            if isinstance(symbol, LayerVariable) and str(symbol.base.label) == "delta":
                deltas.append((symbol, self.chain.z[symbol.indices[0]]))
            elif isinstance(symbol, sympy.Symbol) and symbol.name.startswith("delta_"):
                deltas.append((symbol, self.chain.z[int(symbol.name.removeprefix("delta_"))]))
        return deltas

    def _definition(self, quantity: sympy.Expr) -> sympy.Expr:
        if quantity in self._definitions or not isinstance(quantity, LayerVariable):
            return self._definitions[quantity]
        general = next(
            variable
            for variable in self._definitions
            if isinstance(variable, LayerVariable) and variable.base == quantity.base and variable.indices[0].is_Symbol
        )
        return self._definitions[general].subs(general.indices[0], quantity.indices[0])

    def _successor(self, quantity: sympy.Expr) -> sympy.Expr:
        """Return the quantity in whose definition this one stands."""
        letter, layer = self._letter_and_layer(quantity)
        if letter == "z":
            return self.chain.a[layer]
        if letter == "a":
            return self.chain.C if layer == self.chain.depth else self.chain.z[layer + 1]
        return self.chain.z[layer]

    def _letter_and_layer(self, quantity: sympy.Expr) -> tuple[str, int | sympy.Expr]:
        if isinstance(quantity, LayerVariable):
            return str(quantity.base.label), quantity.indices[0]
        if quantity == self.chain.x:
            return "a", 0
        letter, _, layer = quantity.name.partition("_")
        return letter, int(layer)


def without_layers(*sides: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return expressions with plain symbols for products over layers and for quantities of a symbolic layer."""
    for kind in (Partial, LayerProduct, LayerVariable):
        quantities = sorted(set().union(*(side.atoms(kind) for side in sides)), key=str)
        names = {quantity: sympy.Dummy(f"d{number}", real=True) for number, quantity in enumerate(quantities)}
        sides = tuple(side.xreplace(names) for side in sides)
    return sides


def _peeled(expr: sympy.Expr, layer: sympy.Symbol) -> sympy.Expr:
    """Return an expression with the first factor of its products over the layers after `layer` in front of them."""
    products = expr.atoms(LayerProduct)
    return expr.xreplace({each: _first_apart(each) for each in products})


def _first_apart(product: LayerProduct) -> sympy.Expr:
    (index, first, last) = product.limits[0]
    return product.function.subs(index, first) * LayerProduct(product.function, (index, first + 1, last))


def _written_out(expr: sympy.Expr, layer: sympy.Symbol, depth: sympy.Expr) -> sympy.Expr:
    """Return an expression with its empty products, from L + 1 to L, as 1."""
    empty = {each: sympy.S.One for each in expr.atoms(LayerProduct) if each.limits[0][1] == depth + 1}
    return expr.xreplace(empty)
