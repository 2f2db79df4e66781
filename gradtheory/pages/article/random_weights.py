"""The claims on initial weights: the usual ones, most of them small, too large ones, He's and Glorot's scales."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy

from gradtheory.activations import activation
from gradtheory.arithmetic.brief import with_power
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.arithmetic.inputs import read_real
from gradtheory.derivation import Step
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.functions import Mean
from gradtheory.derivation.language import STEEPEST, Slope
from gradtheory.explosion import critical_weight
from gradtheory.formulas import WrittenProduct, WrittenSum, latex
from gradtheory.pages.article.claim import (
    MEANING,
    SIGMOID,
    Claim,
    ClaimVerdict,
    Finding,
    digits_of,
    holds_if,
    share_that_holds,
    step,
)
from gradtheory.random_weights.initialisation import Initialisation, glorot, he, lecun, pytorch_default, standard_normal
from gradtheory.random_weights.lyapunov import largest_lyapunov_exponent, lyapunov_exponent
from gradtheory.random_weights.meanfield import chi, edge_of_chaos, gain, settled_chi
from gradtheory.random_weights.overflow import overflow_depth

_SMALL, _ROUNDING = 1e-9, 1e-8  # a variance, and what it leaves of χ₁ = 1
_HALF = sympy.Rational(1, 2)
SIGMA_W = sympy.Symbol("sigma_w", positive=True)
_DEPTHS = (5, 10, 20, 50)
_TEN = 10  # layers
_CUT = sympy.Integer(2)  # standard deviations, at which libraries cut the normal distribution off
_OF_HE = ("relu", "leaky_relu")  # the activations for which He et al. give a gain

# What libraries draw by default for a dense layer of n inputs and m outputs, as of PyTorch 2, Keras 3, JAX 0.10, Flax.
DEFAULTS: Mapping[str, tuple[Callable[[int], Initialisation], str]] = {
    "PyTorch `nn.Linear`": (pytorch_default, r"U\left(-\frac{1}{\sqrt{n}}, \frac{1}{\sqrt{n}}\right)"),
    "Keras `Dense`": (
        lambda fan: glorot(fan, shape="uniform"),
        r"U\left(-\sqrt{\frac{6}{m + n}}, \sqrt{\frac{6}{m + n}}\right)",
    ),
    "JAX `stax.Dense`": (glorot, r"N\left(0, \frac{2}{m + n}\right)"),
    "Flax `linen.Dense`": (lecun, r"N\left(0, \frac{1}{n}\right)"),
}


def _weights(*, below: Any, share: Any, factor: Any) -> Finding:
    """Compute P(|w| < 1) for w ~ N(0, 1): most weights, not all, so the bound on the factor is usual only."""
    size, largest_factor = read_real(below, "below"), read_real(factor, "factor")
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    probability = sympy.erf(size / sympy.sqrt(2))
    beyond = _beyond_critical(sympy.S.One)
    steps = (
        step(sympy.Integral(density, (u, -size, size)), probability, "normal_integral"),
        digits_of(probability, "probability_in_numbers"),
        digits_of(probability**_TEN, "all_weights_small", digits=3),
        beyond,
    )
    is_usual = sign(probability - read_real(share, "share")) > 0
    is_bounded = sign(SIGMOID.steepest_slope * size - largest_factor) <= 0
    certain = sign(1 - probability) <= 0
    verdict = ClaimVerdict.HOLDS if certain else ClaimVerdict.CORRECTED
    return Finding(
        verdict if is_usual and is_bounded else ClaimVerdict.FAILS,
        steps,
        {
            "probability": decimal(probability, 6),
            "beyond": latex(beyond.statement.rhs.subs(SIGMA_W, 1).n(3)),
            "ten": f"{float(probability**_TEN):.3g}",
        },
    )


def _beyond_critical(size: sympy.Expr) -> Step:
    """Return the step of P(|w| > 4) for normal weights of a standard deviation."""
    below = sympy.Mul(sympy.sqrt(2), SIGMA_W, evaluate=False)
    probability = sympy.erfc(
        sympy.Mul(critical_weight("sigmoid"), sympy.Pow(below, -1, evaluate=False), evaluate=False)
    )
    value = MEANING.value(probability, {SIGMA_W: size})
    numbers = InNumbers.of(sympy.Symbol("P"), probability, {SIGMA_W: size}, value, 3)
    return Step(numbers, "beyond_critical", MEANING, shown=(("size", size),))


def _mean_square(scale: sympy.Expr) -> tuple[sympy.Expr, ...]:
    """Return the factors of E[w²] for w = scale · u with a standard normal u: an integral, and what is before it."""
    u = sympy.Symbol("u", real=True)
    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    return scale**2, sympy.Integral(u**2 * density, (u, -sympy.oo, sympy.oo))


def _on(*, positive: bool = True) -> sympy.Expr:
    """Return the mean square of relu's slope for standard normal inputs: how many are positive; or how many are not."""
    u = sympy.Symbol("u", real=True)
    ends = (0, sympy.oo) if positive else (-sympy.oo, 0)
    return sympy.Integral(sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi), (u, *ends))


def _variance(variance: sympy.Expr, rule: str) -> Step:
    return step(WrittenProduct(*_mean_square(sympy.sqrt(variance))), variance, rule)


def _large_initialisation(*, scale: Any, explodes: Sequence[str]) -> Finding:
    """Compare chains of sigmoids, by their Lyapunov exponents, with wide layers, by χ₁."""
    size = read_real(scale, "scale")
    steps = (
        step(_on(), _HALF, "relu_on"),
        step(WrittenProduct(SIGMA_W**2, _on()), SIGMA_W**2 / 2, "relu_mean_square"),
        step(WrittenProduct(SIGMA_W**2, STEEPEST**2), SIGMA_W**2 / 16, "sigmoid_mean_square"),
        _beyond_critical(size),
    )
    chain, best = lyapunov_exponent("sigmoid", float(size)), largest_lyapunov_exponent("sigmoid")
    lowered = best.value - lyapunov_exponent("sigmoid", best.sigma_w, 0.001).value
    edge = edge_of_chaos("sigmoid", 0)
    growth = {name: float(settled_chi(name, float(size), 0.0)) for name in ("sigmoid", "relu")}
    grows = {"chain": best.value > 0.0, **{f"wide_{name}": value > 1.0 for name, value in growth.items()}}
    numbers = {"chain": chain.value, "best": best.value, "place": best.sigma_w, "edge": edge.sigma_w}
    numbers |= {"relu": growth["relu"], "sigmoid": growth["sigmoid"], "ceiling": best.at_most}
    return Finding(
        holds_if(any(grows[each] for each in explodes)),
        steps,
        {name: f"{number:.5g}" for name, number in numbers.items()}
        | {"scale": latex(size), "lowered": f"${latex(sympy.Float(lowered, 1))}$"},
    )


def _standard_method(*, scale: Any, fans: Sequence[int]) -> Finding:
    """Compare the weights that libraries draw by default with N(0, scale²), for layers of several sizes."""
    stated = read_real(scale, "scale")
    n, m, r, u = (sympy.Symbol(name, positive=True) for name in ("n", "m", "r", "u"))

    def mean_square(limit: sympy.Expr) -> sympy.Expr:
        return sympy.Integral(WrittenProduct(u**2, 1 / (2 * limit)), (u, -limit, limit))

    density = sympy.exp(-(u**2) / 2) / sympy.sqrt(2 * sympy.pi)
    within, at_cut = sympy.erf(_CUT / sympy.sqrt(2)), density.subs(u, _CUT)
    of_cut, second_moment = 1 - 2 * _CUT * at_cut / within, sympy.Integral(u**2 * density, (u, -_CUT, _CUT))
    bounds = {"pytorch_default": 1 / sympy.sqrt(n), "keras_default": sympy.sqrt(6 / (n + m))}
    steps = (
        step(mean_square(r), r**2 / 3, "uniform_mean_square"),
        *(step(mean_square(bound), sympy.simplify(bound**2 / 3), name) for name, bound in bounds.items()),
        step(WrittenProduct(1 / within, second_moment), of_cut, "cut_off_mean_square"),
        digits_of(_CUT / sympy.sqrt(of_cut), "largest_of_cut_off", digits=5),
    )
    is_standard = any(all(sign(law(fan).scale - stated) == 0 for fan in fans) for law, _ in DEFAULTS.values())
    rows = tuple(
        (name, f"${words}$", *(f"${float(law(fan).scale):.4f}$" for fan in fans))
        for name, (law, words) in DEFAULTS.items()
    )
    same = sum(sign(law(fans[0]).scale - stated) == 0 for law, _ in DEFAULTS.values())
    numbers = {"same": str(same), "count": str(len(DEFAULTS)), "stated": latex(stated)}
    numbers["most"] = str(steps[-1].statement.rhs.n(5))
    return Finding(holds_if(is_standard), steps, numbers, rows)


def _vanishing(*, scale: Any, on: Sequence[str]) -> Finding:
    """Bound the mean square of ∂a_L/∂x for independent weights, and compute its typical size."""
    size = read_real(scale, "scale")
    layer, depth = sympy.symbols("l L", integer=True, positive=True)
    z, w = sympy.symbols("z_l w_l", real=True)
    mean_square = SIGMOID.steepest_slope**2 * size**2
    bound = WrittenProduct((STEEPEST**2, (size * w) ** 2))
    bounded = sympy.Le(WrittenProduct((Slope(z) ** 2, (size * w) ** 2)), bound, evaluate=False)
    steps = (
        step(_mean_square(size)[1], sympy.S.One, "normal_mean_square"),
        Step(bounded, "factor_mean_square", MEANING),
        step(sympy.Product(Mean(bound, w), (layer, 1, depth)), mean_square**depth, "independent_layers"),
    )
    typical = {bias: lyapunov_exponent("sigmoid", float(size), float(bias)) for bias in (0, 1)}
    bound = float(sympy.sqrt(mean_square))
    rows = tuple(
        (
            str(layers),
            *(f"${_latex(math.exp(chain.value * layers))}$" for chain in typical.values()),
            f"${_latex(bound**layers)}$",
        )
        for layers in _DEPTHS
    )
    numbers = {f"typical_{bias}": f"{chain.value:.5g}" for bias, chain in typical.items()}
    numbers |= {"underflow": str(overflow_depth(typical[0], "float32")), "each": latex(mean_square)}
    vanishes = sign(mean_square - 1) < 0 and all(chain.value < 0.0 for chain in typical.values())
    shrinks = {"mean_square": vanishes, "every_layer": False}  # normal weights have no bound
    return Finding(share_that_holds(vanishes and shrinks[each] for each in on), steps, numbers, rows)


def _fans(*, enters: Sequence[str]) -> Finding:
    """Compute E[w²] under He's and Glorot's schemes in symbols, and look up what stands in it."""
    n, m, depth = (sympy.Symbol(name, positive=True) for name in ("n", "m", "L"))
    variances = {"he": 2 / n, "glorot": 2 / (n + m)}
    steps = tuple(_variance(variance, f"{name}_variance") for name, variance in variances.items())
    shape = {n: 256, m: 64}
    laws = {"he": he(*shape.values()), "glorot": glorot(*shape.values())}
    agrees = all(laws[name].scale ** 2 == each.subs(shape) for name, each in variances.items())
    symbols = {"layers": depth, "fan_in": n, "fan_out": m}
    stands = [any(each.has(symbols[name]) for each in variances.values()) for name in enters]
    return Finding(share_that_holds(stands) if agrees else ClaimVerdict.FAILS, steps)


def _gains(*, names: Sequence[str]) -> Finding:
    """Compare the gains that keep the gradient's mean square at a unit variance: one for each activation."""
    backward = {name: float(gain(name, q=1).backward) for name in names}
    below = sympy.Symbol("a", real=True)
    of_slopes = WrittenSum(WrittenProduct((below**2, _on(positive=False))), _on())
    steps = (
        step(_on(), _HALF, "relu_on"),
        step(WrittenProduct(sympy.Integer(2), _on()), sympy.S.One, "relu_gain"),
        step(WrittenProduct(2 / (1 + below**2), of_slopes), sympy.S.One, "leaky_relu_gain"),
    )
    deep = {name: float(settled_chi(name, value, 0.0)) for name, value in backward.items()}
    rows = tuple((name, f"${value:.5f}$", f"${deep[name]:.3f}$") for name, value in backward.items())
    numbers = {name: f"{deep.get(name, math.nan):.3f}" for name in ("sigmoid", "tanh")}
    of_he = {name: float(sympy.sqrt(2 / (1 + _slope_below_0(name) ** 2))) for name in names if name in _OF_HE}
    of_glorot = dict.fromkeys(names, 1.0)
    ask = [len(set(gains.values())) > 1 for gains in (of_he, of_glorot)]
    agrees = all(abs(backward[name] - value) < _ROUNDING for name, value in of_he.items())
    return Finding(share_that_holds(ask) if agrees else ClaimVerdict.FAILS, steps, numbers, rows)


def _slope_below_0(name: str) -> sympy.Expr:
    """Return a of z ↦ max(0, z) + a·min(0, z), for which He's gain is √(2/(1 + a²))."""
    return activation(name).profile.branches[0].slope_left


def _schemes(*, fan_in: int, reduces: Sequence[str]) -> Finding:
    """Compare χ₁ under He's and Glorot's scales with that of standard normal weights."""
    laws = {"he": ("relu", he(fan_in)), "glorot": ("tanh", glorot(fan_in))}
    n, m = sympy.symbols("n m", integer=True, positive=True)
    steps = (
        _variance(2 / n, "he_variance"),
        step(WrittenProduct(m, _HALF, 2 / n), m / n, "he_keeps"),
        _variance(2 / (m + n), "glorot_variance"),
        step(WrittenProduct(m, 2 / (m + n)), 2 * m / (m + n), "glorot_keeps"),
        step(WrittenProduct(m, _HALF, sympy.S.One), m / 2, "standard_grows"),
    )
    standard = standard_normal(fan_in)
    before = {name: _chi_at_rest(record, standard) for name, (record, _) in laws.items()}
    after = {name: _chi_at_rest(record, law) for name, (record, law) in laws.items()}
    holds = all(after[name] <= 1.0 + _ROUNDING < before[name] for name in reduces)
    mixed = settled_chi("tanh", float(he(fan_in).sigma_w), 0.0)
    numbers = {"fan": str(fan_in), "growth": f"{before['he']:.5g}", "mixed": f"{float(mixed):.3f}"}
    return Finding(holds_if(holds), steps, numbers)


def _chi_at_rest(record: str, law: Initialisation) -> float:
    """Return χ₁ at a small variance, where tanh is a line."""
    return float(chi(record, _SMALL, float(law.sigma_w)))


def _latex(number: float) -> str:
    """Return a number as a power of 10, as all of a table are written."""
    return with_power(f"{number:.2e}")


WEIGHTS: Claim = Claim("weights", {"below": 1, "share": "1/2", "factor": "1/4"}, _weights, (22,))
STANDARD_METHOD: Claim = Claim("standard_method", {"scale": 1, "fans": (1, 256)}, _standard_method, (22,))
VANISHING: Claim = Claim("vanishing", {"scale": 1, "on": ("mean_square", "every_layer")}, _vanishing, (22,))
LARGE_INITIALISATION: Claim = Claim(
    "large_initialisation",
    {"scale": 20, "explodes": ("chain", "wide_sigmoid", "wide_relu")},
    _large_initialisation,
    (8,),
)
SCHEMES: Claim = Claim("schemes", {"fan_in": 256, "reduces": ("he", "glorot")}, _schemes, (33,))
FANS: Claim = Claim("fans", {"enters": ("layers",)}, _fans, (33,))
GAINS: Claim = Claim("gains", {"names": ("relu", "leaky_relu", "tanh", "sigmoid", "selu")}, _gains, (33,))
