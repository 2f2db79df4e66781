"""The order in which factors and terms are written: that of the chain rule and of textbooks, not of the alphabet.

Factors of layers run from the last layer to the first, in each layer δ_l, then σ'(z_l), w_l and a_l; numbers and plain
symbols come before functions, those before sums in brackets, and all before logarithms. Terms of higher degree come
first (w x + b), and negative ones last (a_L - y); but 1 comes before a parameter or a function (1 + β, 1 + e^(-z)).
"""

import re
from collections.abc import Sequence

import sympy

from gradtheory.formulas.decimals import digits, is_long

_LETTER = re.compile(r"(delta|[abwz])(?:_([0-9]+))?")
_KINDS = {"delta": 0, "w": 2, "a": 3, "b": 3, "z": 3}  # the place of a letter among those of its layer
_SUM, _SLOPE, _PRODUCT = 0, 1, -1  # likewise of a_L - y and ∂C/∂a_L, of σ'(z_l), and of a product over layers from l on
_HALF = sympy.S.Half
_VARIABLES = "xyzuwlLkn"
_SYMBOL, _BRACKETED = 1, 3  # the classes of symbols and their powers, and of sums in brackets
_Layer = tuple[int, sympy.Expr]  # L is above l, and that above numbers; then the number or what is added


def factors(product: sympy.Expr) -> list[sympy.Expr]:
    """Return the factors of a product in the order in which they are written."""
    product = product.xreplace({root: starred(root) for root in product.args if _is_multiple(root)})
    number, rest = product.as_coeff_Mul()
    if is_long(number) and not product.is_Rational:
        return [digits(number), *factors(rest)]
    canonical = _textbook_roots(product.as_ordered_factors())
    places = {factor: _place(factor) for factor in canonical}
    of_sigma = any(hasattr(factor, "quantity") for factor in canonical)
    if not any(_is_indexed(factor) or (of_sigma and str(factor) == "w") for factor in canonical):
        has_e = any(map(_is_power_of_e, canonical))  # which could be read under a root before it: e√π
        return sorted(
            canonical,
            key=lambda factor: (
                _class(factor),
                has_e and not (factor.is_Rational or _is_power_of_e(factor)),
                _degree_of_sum(factor),
            ),
        )
    plain = [factor for factor in canonical if places[factor] is None]
    layered = [(place, factor) for factor, place in places.items() if place is not None]
    layered.sort(key=lambda pair: (-pair[0][0][0], -pair[0][0][1], pair[0][1]))
    symbols = [factor for factor in plain if _class(factor) <= _SYMBOL]
    functions = sorted((factor for factor in plain if _class(factor) > _SYMBOL), key=_class)
    return [*sorted(symbols, key=_class), *(factor for _, factor in layered), *functions]


def terms(canonical: Sequence[sympy.Expr]) -> list[sympy.Expr]:
    """Return the terms of a sum in the order in which they are written, from SymPy's order."""
    if len(canonical) == 2 and (centre := next(filter(_is_centre, canonical), None)) is not None:
        return sorted(canonical, key=lambda term: term is not centre)
    if len(canonical) == 2 and sympy.S.One in canonical and not any(map(_is_of_variables, canonical)):
        return sorted(canonical, key=lambda term: (_is_negative(term), term != 1))
    first = next((term for term in canonical if type(term).__name__ == "NormalCDF"), canonical[0])
    first = first if first.is_number else None
    by_parts = {_of_product_rule(term) for term in canonical} >= {1, 2}

    def key(term: sympy.Expr) -> tuple[bool, bool, int]:
        if by_parts:
            return _is_negative(term), False, _of_product_rule(term)
        if term is first:
            return _is_negative(term), False, -1_000
        is_ramp = any(isinstance(factor, sympy.Max) for factor in sympy.Mul.make_args(term))  # as of elu
        return _is_negative(term), not is_ramp, -_degree(term)

    return sorted(canonical, key=key)


def layer_key(layer: sympy.Expr) -> _Layer:
    """Return what sorts layer numbers: L - 1 is above l + 1, and l above 3."""
    added, symbol = sympy.sympify(layer, strict=True).as_coeff_Add()
    if symbol == 0:
        return 0, added
    return (2 if str(symbol) == "L" else 1), added


def _is_indexed(factor: sympy.Expr) -> bool:
    """Return whether a factor makes a product one of layers: a letter with a layer, σ' of one, or a product of them."""
    if isinstance(factor, sympy.Symbol):
        match = _LETTER.fullmatch(factor.name)
        return match is not None and match[2] is not None
    if hasattr(factor, "quantity"):
        return _is_indexed(factor.quantity)
    if isinstance(factor, sympy.Pow | sympy.Abs):
        return _is_indexed(factor.args[0])
    return isinstance(factor, sympy.Indexed | sympy.Product)


def _place(factor: sympy.Expr) -> tuple[_Layer, int] | None:
    """Return the layer of a factor and its place there; None for one of no layer."""
    place = None
    if isinstance(factor, sympy.Symbol):
        match = _LETTER.fullmatch(factor.name)
        if factor.name == "x":
            place = (0, sympy.S.Zero), 3
        elif match is not None:
            place = _layer(match[2]), _KINDS[match[1]]
    elif isinstance(factor, sympy.Indexed):
        place = layer_key(factor.indices[0]), _KINDS.get(str(factor.base.label), 3)
    elif isinstance(factor, sympy.Product):
        place = layer_key(factor.limits[0][1]), _PRODUCT
    elif hasattr(factor, "quantity"):
        inner = _place(factor.quantity)
        kind = _SLOPE if isinstance(factor, sympy.Function) else _SUM
        place = (_layer(None) if inner is None else inner[0]), kind
    elif isinstance(factor, sympy.Pow | sympy.Abs):
        place = _place(factor.args[0])
    elif isinstance(factor, sympy.Add) and any(str(symbol) == "y" for symbol in factor.free_symbols):
        layers = [place[0] for place in map(_place, factor.atoms(sympy.Symbol, sympy.Indexed)) if place is not None]
        place = (max(layers), _SUM) if layers else None
    return place


def _layer(number: str | None) -> _Layer:
    return (1, sympy.S.Zero) if number is None else (0, sympy.Integer(number))


def _class(factor: sympy.Expr) -> int:
    """Return the class that sorts factors of no layer: numbers, powers of symbols, functions, sums, logarithms."""
    base = factor.base if isinstance(factor, sympy.Pow) and factor.exp.is_Rational else factor
    if isinstance(base, sympy.Symbol | sympy.Indexed):
        return _SYMBOL
    is_constant = factor.is_number and (_is_power_of_e(factor) or not isinstance(factor, sympy.Function))
    if is_constant or isinstance(base, sympy.AtomicExpr):
        return 0
    if isinstance(base, sympy.log):
        return 4  # (1 - y) ln(1 - a)
    is_bracketed = isinstance(base, sympy.Add) and (base is factor or factor.exp.is_Integer)
    return _BRACKETED if is_bracketed else 2


def _is_power_of_e(factor: sympy.Expr) -> bool:
    """Return whether a factor is e or an integer power of it."""
    return factor is sympy.E or (isinstance(factor, sympy.exp) and bool(factor.args[0].is_Integer))


def _degree_of_sum(factor: sympy.Expr) -> int:
    """Return the degree of a polynomial of one symbol in brackets, 1 of anything else: (1 - r) (1 - r²)."""
    base = factor.base if isinstance(factor, sympy.Pow) else factor
    is_polynomial = _class(factor) == _BRACKETED and len(base.free_symbols) == 1 and base.is_polynomial()
    return int(sympy.degree(base)) if is_polynomial else 1


def _textbook_roots(canonical: list[sympy.Expr]) -> list[sympy.Expr]:
    """Return factors with 1/√2 in place of √2/2, and with 1/√(2π) in place of 1/√2 · 1/√π."""
    ratio = next((factor for factor in canonical if factor.is_Rational and not factor.is_Integer), None)
    root = next(
        (factor for factor in canonical if factor.is_Pow and factor.base.is_Integer and factor.exp == _HALF), None
    )
    if ratio is None or root is None or ratio.q % root.base:
        return canonical
    rest = [factor for factor in canonical if factor is not ratio and factor is not root]
    below = root.base
    if (pi := 1 / sympy.sqrt(sympy.pi)) in rest:
        rest.remove(pi)
        below = sympy.Mul(root.base, sympy.pi, evaluate=False)
    number = sympy.Rational(ratio.p, ratio.q // int(root.base))
    inverse = sympy.Pow(below, -_HALF, evaluate=False)
    return [*([] if number == 1 and rest else [number]), inverse, *rest]


def with_one_root(below: sympy.Expr) -> sympy.Expr:
    """Return a denominator with √(2π) in place of √2 √π."""
    parts = [inner for part in sympy.Mul.make_args(below) for inner in sympy.Mul.make_args(part)]
    pi = sympy.sqrt(sympy.pi)
    root = next((part for part in parts if part.is_Pow and part.base.is_Integer and part.exp == _HALF), None)
    if root is None or pi not in parts:
        return below
    parts[parts.index(root)] = sympy.Pow(sympy.Mul(root.base, sympy.pi, evaluate=False), _HALF, evaluate=False)
    parts.remove(pi)
    return sympy.Mul._from_args(parts)


def one_root(above: sympy.Expr, below: sympy.Expr) -> sympy.Expr | None:
    """Return √(6/n) for √6 over √n, where both are roots."""
    if not (above.is_Pow and below.is_Pow and above.exp == below.exp == _HALF):
        return None
    return sympy.Pow(sympy.Mul(above.base, 1 / below.base, evaluate=False), _HALF, evaluate=False)


def starred(root: sympy.Expr) -> sympy.Expr:
    """Return what a root stands for in terms of its unknown with a star, 2·s_* for 2·s; a place z as its value."""
    (variable,) = root.function.variables
    if str(variable) == "z":
        return root.value
    return root.value.xreplace({variable: sympy.Symbol(f"{variable}_*", **variable.assumptions0)})


def _is_multiple(root: sympy.Expr) -> bool:
    """Return whether a factor is a root that stands for a multiple of its unknown, such as 2 s."""
    return type(root).__name__ == "Root" and isinstance(root.value, sympy.Mul) and bool(root.value.args[0].is_Integer)


def _is_negative(term: sympy.Expr) -> bool:
    return bool(term.as_coeff_Mul()[0].is_negative)


def _of_product_rule(term: sympy.Expr) -> int:
    """Return the place of a term in the derivative of z·f(z), f(z) + z·f'(z): numbers, then f, then z times another."""
    if term.is_number:
        return 0
    parts = sympy.Mul.make_args(term)
    functions = [part for part in parts if part.has(sympy.Function)]
    inside = set().union(*(part.free_symbols for part in functions))
    polynomials = [part for part in parts if (part.is_Symbol or part.is_Add) and part not in functions]
    return 1 + any(part.free_symbols & inside for part in polynomials) if inside else 3


def _is_centre(term: sympy.Expr) -> bool:
    """Return whether a term is -b/w, the centre of an interval that the second term is the radius of."""
    return bool(_is_negative(term) and {getattr(symbol, "name", "") for symbol in term.free_symbols} == {"b", "w"})


def _is_of_variables(term: sympy.Expr) -> bool:
    """Return whether a term is a power of variables, as z and u² are: polynomials begin with these."""
    powers = term.as_coeff_Mul()[1].as_powers_dict()
    return any(isinstance(base, sympy.Symbol) and base.name[:1] in _VARIABLES for base in powers)


def _degree(term: sympy.Expr) -> int:
    """Return the degree of a product of symbols and sums, 0 of a number, 1 of anything else."""
    if term.is_number:
        return 0
    degree = 0
    for base, power in term.as_coeff_Mul()[1].as_powers_dict().items():
        if not isinstance(base, sympy.Symbol | sympy.Indexed | sympy.Add) or not power.is_Integer or power < 0:
            return 1
        degree += int(power)
    return degree
