r"""Fixed points with a proof that there are no others.

Let R(r) = √V(r²) with the variance map V. As ‖σ(rz) - σ(r'z)‖ <= sup|σ'|·|r - r'| in the mean square, R changes by at
most σ_w·sup|σ'|·|r - r'|, so that one proven value R(r) != r excludes fixed points for a while. Steps of this kind
cover the whole line except a small interval about each fixed point. There d/dt(V - q), t = log q, keeps its sign,
since

    d²/dt² E[f(√q z)] = E[f·(z⁴ - 4z² + 1)]/4, whose size for f = σ² is at most 2√2·σ(0)² + 2√6·q·sup|σ'|²,

whether σ has kinks or not, so that it holds exactly one.
"""

import math

import sympy

from gradtheory.activations import Activation
from gradtheory.activations.slopes.branch import Z
from gradtheory.arithmetic.enclosure import Ball, enclose, precision
from gradtheory.arithmetic.guarantee import Estimate, Guarantee
from gradtheory.errors import Undecided
from gradtheory.random_weights.gaussian.places import jumps
from gradtheory.random_weights.gaussian.second_moments import BITS, proven_moment

_LEAST, _MOST = 1e-6, 1e6  # of q, where no bound is known
_WITHIN = 1e-11  # of log q, to which a fixed point is proven to lie where it was computed
_UP, _DOWN = 1.0 + 1e-9, 1.0 - 1e-9
_CLEAR = 1e-6  # of r: what rounding does to a step is less than its part in a billion
_DAMPED = 0.999
_MOST_STEPS = 2000


class Prover:
    """The variance map of exact scales, and bounds for it."""

    def __init__(self, record: Activation, sigma_w: sympy.Expr, sigma_b: sympy.Expr) -> None:
        if record.steepest_slope.is_infinite or jumps(record):
            raise Undecided(f"{record.name} jumps or has an unbounded slope: its fixed points are not proven")
        self.record, self.sigma_w, self.sigma_b = record, sigma_w, sigma_b
        self._weight, self._bias = (enclose(each**2, BITS) for each in (sigma_w, sigma_b))
        self.start = abs(float(record.expr.subs(Z, 0))) * _UP
        self.steepest = float(record.steepest_slope) * _UP
        self.stretch = float(sigma_w) * self.steepest * _UP

    def after(self, q: float) -> Ball:
        """Return V(q)."""
        ball = proven_moment(self.record, q, "value")
        with precision(BITS):
            return self._weight * ball + self._bias

    def domain(self) -> tuple[float, float]:
        """Return between which q all fixed points but 0 lie, or the part of the line that is looked at."""
        at_0 = math.hypot(float(self.sigma_w) * self.start, float(self.sigma_b))
        least = (at_0 / (1.0 + self.stretch)) ** 2 * _DOWN**4 if at_0 > 0.0 else _LEAST
        ends = self.record.range.inf, self.record.range.sup
        if all(end.is_finite for end in ends):
            greatest = max(abs(float(end)) for end in ends)
            return least, ((float(self.sigma_w) * greatest) ** 2 + float(self.sigma_b) ** 2) * _UP
        if self.stretch < _DAMPED:  # R <= R(0) + stretch·r
            return least, max(least, (at_0 * _UP / (1.0 - self.stretch)) ** 2 * _UP)
        return least, _MOST

    def around(self, q: float) -> float:
        """Return a distance in log q within which there is one fixed point, proven to lie at q to 1e-11."""
        with precision(BITS):
            low, high = (self.after(q * math.exp(each)) - q * math.exp(each) for each in (-_WITHIN, _WITHIN))
            if not ((low > 0 and high < 0) or (low < 0 and high > 0)):
                raise self._unproven(q)
            slope = self._weight * proven_moment(self.record, q, "growth") - q
            steep = float(slope.abs_lower()) * _DOWN
        bend = 2.0 * math.sqrt(2.0) * self.start**2 + 2.0 * math.sqrt(6.0) * q * math.e**0.5 * self.steepest**2
        reach = steep * _DOWN / ((float(self.sigma_w) ** 2 * bend + q * math.e**0.5) * _UP)
        if reach < 4.0 * _WITHIN:
            raise self._unproven(q)
        return float(min(reach, 0.5))

    def _unproven(self, q: float) -> Undecided:
        return Undecided(f"a fixed point of {self.record.name} near q = {q:.6g} is not simple enough for a proof")

    def exclude(self, least: float, most: float) -> None:
        """Prove that no q from `least` to `most` is a fixed point, or raise Undecided."""
        r, last = math.sqrt(least) * _DOWN, math.sqrt(most) * _UP
        for _ in range(_MOST_STEPS):
            with precision(BITS):
                root = self.after(r * r).sqrt()
                above, below = float((root - r).lower()), float((r - root).lower())
            if above > r * _CLEAR:
                r += above * _DOWN / (1.0 + self.stretch)
            elif below > r * _CLEAR:
                if self.stretch <= 1.0:
                    return
                r += below * _DOWN / (self.stretch - 1.0)
            else:
                break
            if r > last:
                return
        raise Undecided(f"whether {self.record.name} has a fixed point near q = {r * r:.6g} is not decided")


def prove(record: Activation, sigma_w: sympy.Expr, sigma_b: sympy.Expr, places: list[float]) -> list[Estimate]:
    """Return the positive fixed points as proven numbers, if there are no others in the domain; else Undecided."""
    prover = Prover(record, sigma_w, sigma_b)
    least, most = prover.domain()
    at = least
    for q in places:
        reach = prover.around(q)
        if at < q * math.exp(-reach):
            prover.exclude(at, q * math.exp(-reach) * _UP)
        at = q * math.exp(reach) * _DOWN
    if at < most:
        prover.exclude(at, most)
    return [Estimate(q, q * 2.0 * _WITHIN, Guarantee.CERTIFIED) for q in places]
