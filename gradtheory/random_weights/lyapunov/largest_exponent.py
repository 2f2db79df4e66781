"""Whether a chain of single neurons can explode at all: the supremum of λ over the scales of weights and biases."""

import functools
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.effort import EFFORT, limited, within
from gradtheory.arithmetic.guarantee import Guarantee
from gradtheory.errors import InvalidArgument, Undecided
from gradtheory.explosion.depth import membership
from gradtheory.random_weights.lyapunov.exponent import lyapunov_exponent
from gradtheory.random_weights.lyapunov.fate import LOG_NORMAL
from gradtheory.random_weights.lyapunov.slopes import growth_at_zero, is_flat_somewhere
from gradtheory.typing import ActivationLike

_LOG_WEIGHTS = np.linspace(-2.5, 4.5, 8)
_BIASES = (0.0, 0.5, 2.0)
_FURTHEST = 60.0  # logarithm of a scale of weights
_ALMOST_NONE = 1e-20  # in place of no biases, where z comes closer to 0 than floats can follow


@dataclass(frozen=True, repr=False)
class LargestExponent(ShownAsTable):
    """The supremum of the Lyapunov exponent over all standard deviations of weights and biases.

    Attributes
    ----------
    value : float
        sup λ. Where it is negative, no choice makes the gradient of almost every chain grow; inf where it grows with
        σ_w for ever, -inf where every chain comes to a flat piece.
    sigma_w, sigma_b : float
        Where it is reached; nan where it is -inf.
    at_most : float
        What λ is proven not to exceed: 0 where σ is in class N, for weights and biases of every law, however they
        depend on each other; else inf, for nothing is proven.

    """

    value: float
    sigma_w: float
    sigma_b: float
    at_most: float = math.inf

    @property
    def guarantee(self) -> Guarantee:
        """Numeric: value and place come from a search in float64. Only `at_most` is proven."""
        return Guarantee.NUMERIC

    def __repr__(self) -> str:
        proven = "; λ ≤ 0 is proven for weights of every law" if self.at_most == 0.0 else ""
        return f"{self.value:.6g} at σ_w = {self.sigma_w:.4g}, σ_b = {self.sigma_b:.4g} (numeric){proven}"


@limited
def largest_lyapunov_exponent(activation: ActivationLike, *, effort: float = EFFORT) -> LargestExponent:
    r"""Return the largest Lyapunov exponent over all σ_w and σ_b, found by search in float64.

    That of the sigmoid is -1.447437, at σ_w = 3.189 without biases: its chains cannot explode. A search takes about ten
    seconds. It starts from a grid over σ_w from 0.08 to 90 and σ_b from 0 to 2, and goes on where λ rises at its end.
    Where σ(0) = 0, chains without biases fall to 0 up to the σ_w at which λ = 0; that point is compared too.

    For bounded σ of class N, as the sigmoid, that no chain explodes is a theorem, and not for Gaussian weights alone:
    whatever they are, limsup (1/L)·log\|∂a_L/∂x\| ≤ 0 for almost every x, since the x with \|∂a_L/∂x\| > ρ^L fill at
    most H·ρ^-L (Borel-Cantelli). The answer says where it holds.

    Parameters
    ----------
    activation : str, sympy.Expr or Activation
        The activation, of bounded range.
    effort : float
        How much work each number may take of an expression of your own, about seconds of it, counted in operations.

    Returns
    -------
    LargestExponent

    Raises
    ------
    InvalidArgument
        If the range is unbounded: λ then grows with σ_w for ever, or is -inf throughout; or if λ is greatest without
        biases, where floats cannot follow the chain.

    References
    ----------
    Section 10 of the theory page, *no typical explosion*.

    Examples
    --------
    >>> largest_lyapunov_exponent("sine")  # its slope does not fade
    inf at σ_w = inf, σ_b = 0 (numeric)

    """
    record = as_activation(activation)
    if not all(end.is_finite for end in record.proven_ends):
        raise InvalidArgument("activation", record.name, "must have a bounded range, such as sigmoid or tanh")
    if record.period is not None and not is_flat_somewhere(record):  # the slope does not fade: λ grows as log σ_w
        return LargestExponent(math.inf, math.inf, 0.0)
    return replace(_search(record), at_most=0.0 if _is_member(record) else math.inf)


def _is_member(record: Activation) -> bool:
    """Return whether an activation is proven to be in class N."""
    try:
        with within():
            return membership(record).is_member
    except Undecided:
        return False


@functools.lru_cache(maxsize=128)
def _search(record: Activation) -> LargestExponent:
    lost: set[float] = set()  # where floats cannot follow chains without biases

    def negative(log_w: float, sigma_b: float) -> float:
        try:
            value = float(lyapunov_exponent(record, math.exp(log_w), sigma_b).value)
        except InvalidArgument as error:
            if error.name == "sigma_b" and sigma_b == 0.0:
                lost.add(log_w)
                return negative(log_w, _ALMOST_NONE)
            return math.inf  # no stationary law, or an exponent beyond float64
        if math.isnan(value):
            where = f"at σ_w = {math.exp(log_w):.4g}, σ_b = {sigma_b:.4g}"
            rule = f"has no one exponent {where}: some of its chains meet a slope of 0, and the others never do"
            raise InvalidArgument("activation", record.name, rule)
        return -value

    def row(log_w: float) -> list[tuple[float, float, float]]:
        return [(negative(log_w, sigma_b), float(log_w), sigma_b) for sigma_b in _BIASES]

    grid = [each for log_w in _LOG_WEIGHTS for each in row(log_w)]
    step, ends = float(_LOG_WEIGHTS[1] - _LOG_WEIGHTS[0]), [float(_LOG_WEIGHTS[0]), float(_LOG_WEIGHTS[-1])]
    while (best := min(grid))[0] < math.inf and best[1] in ends and max(map(abs, ends)) < _FURTHEST:
        way = -1 if best[1] == ends[0] else 1  # as of tanh(z)/1000
        ends[max(way, 0)] += way * step
        grid += row(ends[max(way, 0)])
    height, log_w, sigma_b = best
    if height == math.inf:
        return LargestExponent(-math.inf, math.nan, math.nan)
    if sigma_b == 0.0 and log_w in lost:
        there = f"at σ_w = {math.exp(log_w):.4g}, σ_b = {_ALMOST_NONE:g} it is {-height:.4g}"
        rule = (
            "comes closer to 0 than floats can follow without biases, which is where its exponent is greatest: "
            f"{there}; take scales of your own for lyapunov_exponent"
        )
        raise InvalidArgument("activation", record.name, rule)
    near = growth_at_zero(record)
    if near is not None and min(near) > 0.0:
        standstill = -LOG_NORMAL - float(np.mean(np.log(near)))  # here λ = 0
        if height > 0.0 and abs(standstill - log_w) <= step and sigma_b == 0.0:
            return LargestExponent(0.0, math.exp(standstill), 0.0)
    if sigma_b == 0.0:
        line = minimize_scalar(
            lambda x: negative(x, 0.0), bounds=(log_w - step, log_w + step), method="bounded", options={"xatol": 1e-7}
        )
        beside = negative(line.x, 1e-3)
        if beside >= line.fun:
            return LargestExponent(-float(line.fun), math.exp(line.x), 0.0)

    def negative_at(point: Any) -> float:
        return negative(point[0], abs(point[1]))

    plane = minimize(negative_at, np.array([log_w, sigma_b + 0.1]), method="Nelder-Mead", tol=1e-9)
    return LargestExponent(-float(plane.fun), math.exp(plane.x[0]), abs(float(plane.x[1])))
