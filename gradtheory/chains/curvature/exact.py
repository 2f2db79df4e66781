r"""Second derivatives of a chain's loss in SymPy, factored.

Let κ_l = ∂²C/∂z_l² be the second derivative by one pre-activation, on which all later layers depend. An entry of the
Hessian is κ_l times a product of layer Jacobians. Where one of the two parameters is a weight of a later layer than the
other, a term with δ_l is added.
"""

import sympy

from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_chain
from gradtheory.chains.symbols import A, LayerSymbols, equation
from gradtheory.errors import InvalidArgument


def curvature_recursion(chain: Chain) -> tuple[sympy.Eq, ...]:
    r"""Return κ_L, and κ_l from κ_{l+1}, from the last layer to the first.

    κ_L = C''·σ'(z_L)² + C'·σ''(z_L) and κ_l = (σ'(z_l)·w_{l+1})²·κ_{l+1} + σ''(z_l)·w_{l+1}·δ_{l+1}.

    Parameters
    ----------
    chain : Chain
        Where its depth is symbolic, the second equation stands for every layer l before the last.

    References
    ----------
    C. Bishop, "Exact calculation of the Hessian matrix for the multi-layer perceptron" (1992), for one neuron a layer.

    Examples
    --------
    >>> chain = Chain(depth=2, activation="identity")
    >>> curvature_recursion(chain)
    (Eq(kappa_2, 1), Eq(kappa_1, kappa_2*w_2**2))

    """
    chain = read_chain(chain)
    kappa, depth = _kappa(chain), chain.depth
    loss_bend = chain.loss_record.slope_expr.diff(A).xreplace({A: chain.a[depth]})
    last = loss_bend * chain.slope(depth) ** 2 + chain.loss_slope() * _bend(chain, depth)
    equations = [equation(kappa[depth], last)]
    for layer in chain.layers_before_last():
        behind = chain.w[layer + 1]
        inner = (chain.slope(layer) * behind) ** 2 * kappa[layer + 1]
        equations.append(equation(kappa[layer], inner + _bend(chain, layer) * behind * chain.delta[layer + 1]))
    return tuple(equations)


def second_derivative(chain: Chain, first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    r"""Return ∂²C/∂p∂q for two weights or biases of a chain, in the named z_l, a_l, δ_l and κ_l.

    Let k ≤ l be the two layers, and T = Π_{m=k+1}^{l} σ'(z_{m-1})·w_m, which is 1 for k = l. Then

    - ∂²C/∂b_k∂b_l = κ_l·T,
    - ∂²C/∂b_k∂w_l = κ_l·T·a_{l-1}, plus δ_l·T/w_l where k < l,
    - with w_k in place of b_k: a_{k-1} times the same.

    Parameters
    ----------
    chain : Chain
        Of concrete or symbolic depth.
    first, second : sympy.Expr
        Two of its w[l] and b[l], in any order. Two symbolic layers such as k and l have no order: the first is then
        taken to come before the second.

    Returns
    -------
    sympy.Expr
        O(L) factors, in a chain of symbolic depth a `sympy.Product`; `curvature_recursion` says what κ_l is,
        `Chain.backward` what δ_l is.

    Raises
    ------
    InvalidArgument
        If `first` or `second` is no weight or bias of the chain.

    Examples
    --------
    >>> chain = Chain(depth=3, activation="arctan")
    >>> second_derivative(chain, chain.b[1], chain.b[3])
    kappa_3*w_2*w_3/((z_1**2 + 1)*(z_2**2 + 1))
    >>> second_derivative(chain, chain.w[2], chain.b[1])
    (a_1*kappa_2*w_2 + delta_2)/(z_1**2 + 1)
    >>> L, k, l = sympy.symbols("L k l", integer=True, positive=True)
    >>> deep = Chain(depth=L, activation="arctan")
    >>> second_derivative(deep, deep.b[k], deep.b[l])
    Product(w_m/(z_m**2 + 1), (m, k + 1, l - 1))*kappa_l*w_l/(z_k**2 + 1)

    """
    (letter, k), (other, layer) = map(read_chain(chain).locate, (first, second))
    if "a" in (letter, other):
        raise InvalidArgument("first", first, "must be a weight or a bias; the input x has no second derivative here")
    if sympy.sympify(layer - k, strict=True).is_negative:
        letter, k, other, layer = other, layer, letter, k
    before = chain.a[k - 1] if letter == "w" else sympy.S.One
    bent = _kappa(chain)[layer] * (chain.a[layer - 1] if other == "w" else 1)
    if k == layer:
        return before * bent
    ends = bent * chain.w[layer] + (chain.delta[layer] if other == "w" else 0)
    return sympy.Mul(before, chain.slope(k), *chain.layer_jacobians(k + 1, layer - 1), ends)


def _kappa(chain: Chain) -> LayerSymbols:
    return LayerSymbols("kappa", 1, chain.depth)


def _bend(chain: Chain, layer: int | sympy.Expr) -> sympy.Expr:
    """Return σ''(z_l)."""
    return sympy.diff(chain.slope(layer), chain.z[layer])
