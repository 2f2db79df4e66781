"""Two inputs of one chain: what an explosion at one says of the gradient at the other, at any depth."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy

from gradtheory.activations import Activation
from gradtheory.arithmetic.brief import ShownAsTable, shorten
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import MOST_BITS, Ball, as_float, doubling, enclose, precision, sign
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.arithmetic.inputs import read_bits, read_exact_parameters, read_real
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth.bound import depth_bound
from gradtheory.explosion.depth.chain_in_balls import Layers, Passed
from gradtheory.explosion.depth.class_n import membership, support_ends
from gradtheory.explosion.depth.logistic import squared_beta
from gradtheory.typing import NumberLike


@dataclass(frozen=True)
class TwoPoint(ShownAsTable):
    r"""Both sides of the two-point theorem, each a Float of which all digits are proven.

    Attributes
    ----------
    left : sympy.Float
        \|y - x\|·√\|f'(x)·f'(y)\|.
    right : sympy.Float
        \|f(y) - f(x)\|·Π r(Δ_l), with Δ_l = z_l(y) - z_l(x) and r(Δ) = βΔ/sinh(βΔ) where the layer has a constant
        Schwarzian derivative -2β² (β = 1/2 for the sigmoid, 1 for tanh), and r = 1 for the others.
    is_identity : bool
        Whether both sides are equal, since all layers have a constant Schwarzian derivative; else left ≤ right.
    gradient_at_x, gradient_at_y : sympy.Float
        f'(x) and f'(y).
    bound_at_y : sympy.Expr or None
        What \|f'(x)\| alone says of \|f'(y)\|: it is at most H²/(\|f'(x)\|·(x - y)²). None where H is infinite or not
        known, and where f'(x) = 0.

    """

    left: sympy.Float
    right: sympy.Float
    is_identity: bool
    gradient_at_x: sympy.Float
    gradient_at_y: sympy.Float
    bound_at_y: sympy.Expr | None

    @property
    def guarantee(self) -> Guarantee:
        """The digits are certified."""
        return Guarantee.CERTIFIED


@limited
def two_point(
    chain: Chain,
    x: NumberLike,
    y: NumberLike,
    *,
    w: Sequence[NumberLike],
    b: Sequence[NumberLike],
    digits: int = 15,
    effort: float = EFFORT,
) -> TwoPoint:
    r"""Compare the gradients of a chain at two inputs: \|y - x\|·√\|f'(x)f'(y)\| ≤ \|f(y) - f(x)\|·Π r(Δ_l).

    It holds in class N, at every depth. For chains of sigmoid and tanh it is an identity, so that it tests code without
    difference quotients.

    Parameters
    ----------
    chain : Chain
        Of concrete depth, of activations of class N.
    x, y : number
        Two inputs, exact.
    w, b : sequence of numbers
        The weights and biases of all layers, exact.
    digits : int
        How many digits are proven, from 10 on.
    effort : float
        How much work a proof for your own expression may take, about seconds of it, counted in operations.

    Returns
    -------
    TwoPoint

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule: an activation is not in class N, or x = y.
    Undecided
        If a layer stands at a kink at one of the inputs, or digits are not proven.

    References
    ----------
    Section 7 of the theory page; in Coq `proofs/identity.v`, `two_point_identity`.

    Examples
    --------
    >>> both = two_point(Chain(3, "sigmoid"), 0, 1, w=[2, -5, 3], b=[0, 1, "1/2"], digits=20)
    >>> both.left == both.right, both.is_identity
    (True, True)

    """
    activations = read_concrete_chain(chain).layer_activations
    for activation in dict.fromkeys(activations):
        belongs = membership(activation)
        if not belongs.is_member:
            raise InvalidArgument(
                "chain", chain, f"must have activations of class N: of {activation.name} {belongs.reason}"
            )
    places = read_real(x, "x"), read_real(y, "y")
    if places[0] == places[1]:
        raise InvalidArgument("y", y, "must differ from x")
    weights, biases = (read_exact_parameters(values, name, chain.depth) for values, name in ((w, "w"), (b, "b")))
    layers = Layers(activations, tuple(weights), tuple(biases))
    bits = read_bits(digits)
    betas = [squared_beta(activation) for activation in activations]
    highest = _highest(activations[-1])
    is_constant = any(sign(weight) == 0 for weight in weights)

    def balls(working: int) -> tuple[Ball, ...]:
        here, there = (layers.passed(enclose(place, working), working) for place in places)
        _refuse_kinks(activations, [here, there], working)
        with precision(working):
            away = abs(enclose(places[1] - places[0], working))
            left = away * abs(here.gradient * there.gradient).sqrt()
            right = abs(there.a - here.a)
            if is_constant or _are_on_one_flat_piece(activations, here, there, working):
                right *= 0
            for square, first, second in zip(betas, here.z, there.z, strict=True):
                if square:
                    step = abs(second - first) * enclose(sympy.sqrt(square), working)
                    right *= step / step.sinh() if not step.contains(0) else step.cosh() ** -1
            if highest is None or here.gradient.is_zero():
                return left, right, here.gradient, there.gradient
            bound = enclose(highest, working) ** 2 / (abs(here.gradient) * away**2)
        return left, right, here.gradient, there.gradient, bound

    too_near = (
        f"w = {shorten(w)}: at x and y outputs or gradients agree in more digits than are computed, and no digit of "
        "their difference is proven; try smaller weights, or inputs at which layers saturate less"
    )
    left, right, at_x, at_y, *bounds = _digits_of(balls, bits, too_near)
    return TwoPoint(left, right, None not in betas, at_x, at_y, bounds[0] if bounds else None)


def _refuse_kinks(activations: Sequence[Activation], both: list[Passed], bits: int) -> None:
    for passed in both:
        for activation, z in zip(activations, passed.z, strict=True):
            for kink in activation.kinks:
                if z.overlaps(enclose(kink, bits)):
                    raise Undecided(
                        f"a layer of {activation.name} stands at z = {shorten(kink)}, or too near to it: "
                        "take another input"
                    )


def _are_on_one_flat_piece(activations: Sequence[Activation], here: Passed, there: Passed, bits: int) -> bool:
    """Return whether some layer is at both inputs where σ is constant, beyond the same end of its support."""
    for activation, *both in zip(activations, here.z, there.z, strict=True):
        left, right = support_ends(activation)
        if left.is_finite and all(z < enclose(left, bits) for z in both):
            return True
        if right.is_finite and all(z > enclose(right, bits) for z in both):
            return True
    return False


def _highest(activation: Activation) -> sympy.Expr | None:
    try:
        value = depth_bound(activation).value
    except Undecided:
        return None
    return None if value is None or value.is_infinite else value


def _digits_of(balls: Callable[[int], tuple[Ball, ...]], bits: int, too_near: str) -> tuple[sympy.Float, ...]:
    """Return proven digits of numbers that are computed together, with as many bits as that takes."""
    error: Undecided | None = None
    for working in doubling(MOST_BITS + 4 * bits):
        try:
            numbers = balls(working)
        except Undecided as caught:
            error = caught
            continue
        if all(number.is_zero() or number.rel_accuracy_bits() > bits + 2 for number in numbers):
            return tuple(as_float(number, bits) for number in numbers)
    raise error or Undecided(too_near)
