r"""Second derivatives of a chain's loss in SymPy, factored.

With κ_l = ∂²C/∂z_l², the curvature along one pre-activation while everything behind it follows, each entry of the
Hessian is κ_l times a product of layer Jacobians; where one of two parameters is a weight behind the other, δ_l enters.
"""

import sympy

from gradtheory.activations import Z
from gradtheory.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.losses import A
from gradtheory.symbols import LayerSymbols


def curvature_recursion(chain: Chain) -> tuple[sympy.Eq, ...]:
    r"""Return κ_L, and κ_l from κ_{l+1}, from the last layer to the first.

    κ_L = C''·σ'(z_L)² + C'·σ''(z_L) and κ_l = (σ'(z_l)·w_{l+1})²·κ_{l+1} + σ''(z_l)·w_{l+1}·δ_{l+1}.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth.

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
    found = [_equation(kappa[depth], last)]
    for layer in range(depth - 1, 0, -1):
        behind = chain.w[layer + 1]
        inner = (chain.slope(layer) * behind) ** 2 * kappa[layer + 1]
        found.append(_equation(kappa[layer], inner + _bend(chain, layer) * behind * chain.delta[layer + 1]))
    return tuple(found)


def second_derivative(chain: Chain, first: sympy.Expr, second: sympy.Expr) -> sympy.Expr:
    r"""Return ∂²C/∂p∂q for two weights or biases of a chain, in the named z_l, a_l, δ_l and κ_l.

    For k ≤ l, with T = Π_{m=k+1}^{l} σ'(z_{m-1})·w_m: κ_l·T for b_k and b_l; for w_l in place of b_l times a_{l-1}, and
    δ_l·T/w_l more where k < l; for w_k in place of b_k all of it times a_{k-1}.

    Parameters
    ----------
    chain : Chain
        Of a concrete depth.
    first, second : sympy.Expr
        Two of its w[l] and b[l], in any order.

    Returns
    -------
    sympy.Expr
        O(L) factors; `curvature_recursion` says what κ_l is, `Chain.backward` what δ_l is.

    Examples
    --------
    >>> chain = Chain(depth=3, activation="arctan")
    >>> second_derivative(chain, chain.b[1], chain.b[3])
    kappa_3*w_2*w_3/((z_1**2 + 1)*(z_2**2 + 1))
    >>> second_derivative(chain, chain.w[2], chain.b[1])
    (a_1*kappa_2*w_2 + delta_2)/(z_1**2 + 1)

    """
    (letter, k), (other, layer) = sorted((chain.located(each) for each in (first, second)), key=lambda each: each[1])
    if "a" in (letter, other):
        raise InvalidArgument("first", first, "must be a weight or a bias; the input x has no second derivative here")
    _kappa(chain)  # refuses a symbolic depth
    before = chain.a[k - 1] if letter == "w" else sympy.S.One
    bent = _kappa(chain)[layer] * (chain.a[layer - 1] if other == "w" else 1)
    if k == layer:
        return before * bent
    between = [chain.layer_jacobian(each) for each in range(k + 1, layer)]
    ends = bent * chain.w[layer] + (chain.delta[layer] if other == "w" else 0)
    return sympy.Mul(before, chain.slope(k), *between, ends)


def _kappa(chain: Chain) -> LayerSymbols:
    if chain.is_symbolic:
        raise InvalidArgument("depth", chain.depth, "must be a number here; build the chain with an int")
    return LayerSymbols("kappa", 1, chain.depth)


def _bend(chain: Chain, layer: int) -> sympy.Expr:
    """Return σ''(z_l)."""
    return chain.layer_activations[layer - 1].derivative.diff(Z).xreplace({Z: chain.z[layer]})


def _equation(left: sympy.Expr, right: sympy.Expr) -> sympy.Eq:
    return sympy.Eq(left, right, evaluate=False)
