r"""The widest explosion set of a chain whose later weights are given, over its first weight and all biases.

Let σ_l = mid_l + (R_l/2)·tanh(β_l(z - z_l)). For inputs x, y at which \|f'\| is c, the ends of the set, the two-point
identity says c·\|y - x\| = \|Δa_L\|·Π r_l(Δ_l), Δ_l = \|z_l(y) - z_l(x)\|, r_l(Δ) = β_lΔ/sinh(β_lΔ). Of all pairs Δ
apart the one about z_l is furthest apart after σ_l: \|Δa_l\| ≤ R_l·tanh(β_lΔ_l/2). So, given Δ_L, all other Δ_l are
least if z_l is the middle in every layer; then r_l, which falls, is greatest, and c·width = max over t = Δ_1 of

    V(t) = R_L·tanh(β_LΔ_L/2)·Π r_l(Δ_l),    Δ_1 = t,    Δ_{l+1} = \|w_{l+1}\|·R_l·tanh(β_lΔ_l/2).

There is one maximum. As a function of Δ_L, log V is strictly concave: log tanh is concave; Δ_l is a convex increasing
function of Δ_L, made of artanh; and log(u/sinh u) is concave and falls, since its slope 1/u - coth u is negative and
its second derivative 1/sinh²u - 1/u² too. So d log V/d log t has one zero, at which it turns from + to -, and two signs
prove where it lies. As u/sinh u is d log tanh(u/2)/d log u, Π r_l is a derivative too: V = t·dΔa_L/dt.
"""

import functools
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import sympy
from scipy.optimize import brentq

from gradtheory.arithmetic.brief import ShownAsTable, shorten
from gradtheory.arithmetic.effort import EFFORT
from gradtheory.arithmetic.enclosure import FIRST_BITS, Ball, enclose, exactly, precision, sign
from gradtheory.arithmetic.guarantee import Guarantee, decimal, guarantee
from gradtheory.arithmetic.inputs import read_positive, read_real
from gradtheory.arithmetic.kinds import read_items
from gradtheory.arithmetic.proven import ProvenNumber
from gradtheory.chains.chain import Chain
from gradtheory.chains.reading import read_concrete_chain
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.budget import limited
from gradtheory.explosion.depth.logistic import Logistic, logistic
from gradtheory.typing import NumberLike

_Layers: TypeAlias = tuple[tuple[sympy.Expr, sympy.Expr], ...]  # (β_l, R_l·|w_{l+1}|) of each layer; R_L of the last
_BallLayers: TypeAlias = list[tuple[Ball, Ball]]
_MOST_STEPS, _MOST_DOUBLINGS = 64, 6


@dataclass(frozen=True, repr=False)
class WidestTotalExplosion(ShownAsTable):
    r"""The widest explosion set of a chain with given w_2, …, w_L.

    Attributes
    ----------
    chain : Chain
    threshold : sympy.Expr
        c.
    value : sympy.Expr
        The greatest width of {x : \|∂a_L/∂x\| > c}, with proven digits.
    w : tuple of sympy.Expr
        Weights that reach it: w_1 > 0, with proven digits, then those that were given.
    b : tuple of sympy.Expr
        Biases that reach it: the middle of the range of each layer becomes the steepest place of the next.

    """

    chain: Chain
    threshold: sympy.Expr
    value: sympy.Expr
    w: tuple[sympy.Expr, ...]
    b: tuple[sympy.Expr, ...]

    @property
    def guarantee(self) -> Guarantee:
        """Certified: the digits of the value and of w_1 are proven."""
        return guarantee(self.value, self.w[0])

    def __repr__(self) -> str:
        first = decimal(self.w[0], 12)
        return f"{decimal(self.value, 15)} at w_1 = {first}, b = {shorten(self.b)} ({self.guarantee.value})"


class WidestNumber(ProvenNumber):
    r"""The greatest V(t) of a chain, or t/V(t) there: c·width, and \|w_1\|/c.

    Parameters
    ----------
    layers : tuple of pairs of sympy.Expr
        β_l and R_l·\|w_{l+1}\| of each layer; of the last, β_L and R_L.
    is_width : bool
        Whether the number is V(t), and not t/V(t).

    """

    parts = ("layers", "is_width")
    layers: _Layers
    is_width: bool

    def enclosure(self, bits: int, at: Any = None) -> Ball:  # no symbols
        """Return a ball around the number, computed with `bits` bits."""
        place, value = _widest(self.layers, bits)
        with precision(bits):
            return value + 0 if self.is_width else place / value


@limited
def widest_total_explosion(
    chain: Chain, weights: Sequence[NumberLike], *, threshold: NumberLike = 1, effort: float = EFFORT
) -> WidestTotalExplosion:
    r"""Return the widest explosion set of a chain with given w_2, …, w_L, over all biases and w_1.

    c·width = max R_L·tanh(β_LΔ_L/2)·Π β_lΔ_l/sinh(β_lΔ_l), Δ_l = (2/β_l)·artanh(Δ_{l+1}/(\|w_{l+1}\|R_l)), over Δ_L.

    Parameters
    ----------
    chain : Chain
        Of concrete depth L, of layers σ(z) = mid + (R/2)·tanh(β(z - z₀)): sigmoid, tanh, lecun_tanh, or your own
        expressions that are proven to be of this form.
    weights : sequence of L - 1 or L numbers
        w_2, …, w_L, exact, none of them 0. A w_1 before them is not used: the w_1 of the widest set is found.
    threshold : number
        c > 0.
    effort : float
        How much work the proof may take, about seconds of it, counted in operations.

    Returns
    -------
    WidestTotalExplosion

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.
    Undecided
        If it is not proven whether an expression of your own is of that form.

    References
    ----------
    Section 7 of the theory page, *bounded weights*.

    Examples
    --------
    >>> widest_total_explosion(Chain(depth=3, activation="sigmoid"), [10, 10])
    0.417045418345559 at w_1 = 1.12261943243, b = (0, -5, -5) (certified)
    >>> widest_total_explosion(Chain(depth=1, activation="sigmoid"), []).value.n(20)
    0.44774320469430284918

    """
    forms = _forms(read_concrete_chain(chain))
    sizes = _read_weights(weights, chain)
    c = read_positive(threshold, "threshold")
    steps = [*map(abs, sizes), sympy.S.One]
    layers = tuple((form.beta, form.height * size) for form, size in zip(forms, steps, strict=True))
    first, width = WidestNumber(layers, False), WidestNumber(layers, True)
    pairs = zip(sizes, itertools.pairwise(forms), strict=True)
    biases = [forms[0].centre, *(after.centre - weight * before.middle for weight, (before, after) in pairs)]
    return WidestTotalExplosion(chain, c, width / c, (c * first, *sizes), tuple(biases))


def _forms(chain: Chain) -> list[Logistic]:
    forms = []
    for activation in chain.layer_activations:
        form = logistic(activation)
        if form is None:
            rule = "must have layers mid + (R/2)·tanh(β(z - z₀)), such as sigmoid or tanh: not"
            raise InvalidArgument("chain", chain, f"{rule} {shorten(activation.name)}")
        forms.append(form)
    return forms


def _read_weights(weights: Any, chain: Chain) -> list[sympy.Expr]:
    count = chain.depth - 1
    rule = f"must be {count} numbers, w_2 to w_{chain.depth}, or all {count + 1}: w_1 is not used, the widest is found"
    given = read_items(weights, "weights", rule)
    if len(given) not in (count, count + 1):
        raise InvalidArgument("weights", weights, rule)
    numbers = [read_real(number, f"weights[{place}]") for place, number in enumerate(given)]
    later = numbers[len(given) - count :]
    for layer, number in enumerate(later, start=2):
        if sign(number) == 0:
            raise InvalidArgument("weights", weights, f"must not be 0: w_{layer} is, and no gradient passes")
    return later


@functools.lru_cache(maxsize=64)
def _widest(layers: _Layers, bits: int) -> tuple[Ball, Ball]:
    """Return balls around the t at which V is greatest, and around V there."""
    near = _near(layers)
    for doublings in range(_MOST_DOUBLINGS):
        working = bits + (32 + 2 * len(layers).bit_length() << doublings)
        balls = _enclosed(layers, working)
        with precision(working):
            place = _zero(balls, exactly(near).exp().mid(), (bits + working) // 2)
            if place is not None:
                return place, _passed(balls, place)[0]
    raise Undecided(f"the widest set of {len(layers)} layers is not proven with {bits} bits")


def _enclosed(layers: _Layers, bits: int) -> _BallLayers:
    return [(enclose(beta, bits), enclose(gain, bits)) for beta, gain in layers]


def _passed(layers: _BallLayers, t: Ball) -> tuple[Ball, Ball]:
    """Return V(t) and d log V/d log t."""
    step, rate, bend = t, t * 0 + 1, t * 0
    for beta, gain in layers:
        u = beta * step
        bend += rate * (u * u.coth() - 1)
        rate *= u / u.sinh()
        step = gain * (u / 2).tanh()
    return step * rate, rate - bend


def _near(layers: _Layers) -> float:
    """Return nearly the logarithm of the t at which V is greatest, by a search in few bits."""
    balls = _enclosed(layers, FIRST_BITS)

    def slope(log_t: float) -> float:
        with precision(FIRST_BITS):
            rise = float(_passed(balls, exactly(log_t).exp())[1].mid())
        return rise / (1 + abs(rise)) if abs(rise) < 1e300 else -1.0

    with precision(FIRST_BITS):
        growth, logs = -balls[0][0].log(), [0.0]
        for (_, gain), (beta, _) in itertools.pairwise(balls):
            logs.append(float((logs[-1] + (beta * gain / 2).log()).mid()))
        lower = upper = float(growth.mid()) - max(logs)  # there β_lΔ_l ≤ 1 in all layers
    width = 1.0
    while slope(lower) < 0:
        lower, width = lower - width, 2 * width
    width = 1.0
    while slope(upper) >= 0:
        upper, width = upper + width, 2 * width
    return float(brentq(slope, lower, upper, xtol=1e-6))


def _zero(layers: _BallLayers, near: Ball, bits: int) -> Ball | None:
    """Return a ball around the t at which log V turns, of a relative size of about 2**-bits, if that is proven."""
    before, here = near, (near * (1 + exactly(2.0**-18))).mid()
    slope_before = _passed(layers, before)[1].mid()
    for _ in range(_MOST_STEPS):
        slope = _passed(layers, here)[1].mid()
        if slope == slope_before:
            break
        step = (slope * (here - before) / (slope - slope_before)).mid()
        before, slope_before, here = here, slope, (here - step).mid()
        if abs(step) < here * exactly(2) ** -bits:
            break
    ends = [(here * (1 + side * exactly(2) ** -bits)).mid() for side in (-1, 1)]
    is_proven = ends[0] > 0 and _passed(layers, ends[0])[1] > 0 and _passed(layers, ends[1])[1] < 0
    return ends[0].union(ends[1]) if is_proven else None
