r"""Second derivatives of a chain's loss in SymPy, factored.

With κ_l = ∂²C/∂z_l², the curvature along one pre-activation while everything behind it follows, each entry of the
Hessian is κ_l times a product of layer Jacobians; where one of two parameters is a weight behind the other, δ_l enters.
"""

import sympy

from gradtheory.chains.chain import Chain
from gradtheory.chains.losses import A
from gradtheory.chains.symbols import LayerSymbols, equation
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
    kappa, depth = _kappa(chain), chain.depth
    at_output = {A: chain.a[depth]}
    loss = chain.loss_record
    last = loss.derivative.diff(A).xreplace(at_output) * chain.slope(depth) ** 2 + chain.loss_slope() * _bend(
        chain, depth
    )
    found = [equation(kappa[depth], last)]
    for layer in [chain.other_layer("l")] if chain.is_symbolic else range(depth - 1, 0, -1):
        behind = chain.w[layer + 1]
        inner = (chain.slope(layer) * behind) ** 2 * kappa[layer + 1]
        found.append(equation(kappa[layer], inner + _bend(chain, layer) * behind * chain.delta[layer + 1]))
    return tuple(found)


def second_derivative(chain: Chain, first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    r"""Return ∂²C/∂p∂q for two weights or biases of a chain, in the named z_l, a_l, δ_l and κ_l.

    For k ≤ l, with T = Π_{m=k+1}^{l} σ'(z_{m-1})·w_m: κ_l·T for b_k and b_l; for w_l in place of b_l times a_{l-1}, and
    δ_l·T/w_l more where k < l; for w_k in place of b_k all of it times a_{k-1}.

    Parameters
    ----------
    chain : Chain
        Of concrete or symbolic depth.
    first, second : sympy.Expr
        Two of its w[l] and b[l]: in any order, except that of two symbolic layers such as k and l, which nothing
        puts in order, the first is taken to come before the second.

    Returns
    -------
    sympy.Expr
        O(L) factors, in a chain of symbolic depth a `sympy.Product`; `curvature_recursion` says what κ_l is,
        `Chain.backward` what δ_l is.

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
    (letter, k), (other, layer) = (chain.located(each) for each in (first, second))
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
