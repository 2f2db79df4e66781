# Above 300 lines: one table, a record for each number.
"""The published numbers, and how each is computed."""

import math
from collections.abc import Callable

import numpy as np
import sympy
from scipy.interpolate import CubicSpline
from scipy.optimize import minimize_scalar

from gradtheory.activations import activation
from gradtheory.explosion import critical_weight
from gradtheory.pages.literature.record import Published
from gradtheory.random_weights import gaussian, initialisation, meanfield
from gradtheory.random_weights.architectures import architecture, blocks
from gradtheory.random_weights.finite_width import log_jacobian
from gradtheory.random_weights.lyapunov import lyapunov_exponent
from gradtheory.random_weights.overflow import overflow_depth
from gradtheory.training.stability import stability_region

_Z = sympy.Symbol("z", real=True)
_DISTANCE = 1e-4  # of c from 1, where correlations are compared
_SMALL = 1e-5  # a variance at which only the first two powers count


def _limit(optimiser: str, beta: float | None = None) -> float:
    """Return η·h at the edge of stability."""
    region = stability_region(optimiser)
    values = {"eta": 1, "h": 1} if beta is None else {"eta": 1, "h": 1, "beta": sympy.Rational(str(beta))}
    return float(region.limit.subs({symbol: values[symbol.name] for symbol in region.limit.free_symbols}))


def _extremum(function: Callable[[float], float], ends: tuple[float, float], sign: float = 1.0) -> tuple[float, float]:
    """Return where a function is least (of the sign -1 greatest) between two places, and its value there."""
    place = minimize_scalar(
        lambda z: sign * float(function(z)), bounds=ends, method="bounded", options={"xatol": 1e-9}
    ).x
    return float(place), float(function(place))


def _bend(z: float) -> float:
    """Return the second derivative of LeCun's tanh."""
    slope = activation("lecun_tanh").slope
    return float(slope(z + 1e-5) - slope(z - 1e-5)) / 2e-5


def _forgetting() -> float:
    """Return the limit of l²·(1 - c) for relu, from the coefficient s of c' = c + s·(1 - c)^(3/2): it is 4/s²."""
    gained = float(meanfield.correlation_map("relu", 1.0 - _DISTANCE, 1.0, 2.0**0.5)) - (1.0 - _DISTANCE)
    return 4.0 * _DISTANCE**3 / gained**2


def _first_power(which: str) -> float:
    """Return a₁ in V(q) = q + a₁·q² + … at σ_w = 1."""
    return (float(meanfield.variance_map(which, _SMALL, 1.0)) - _SMALL) / _SMALL**2


def _edge(which: str, bias_square: float = 0.0) -> float:
    """Return σ_w² on the edge of chaos."""
    return float(meanfield.edge_of_chaos(which, math.sqrt(bias_square)).sigma_w) ** 2


def _critical(which: str, name: str) -> float:
    number = float(getattr(meanfield.critical_initialisation(which), name))
    return number if name == "q" else number**2


def _spread(which: str, sigma_w: float, weights: str) -> float:
    return float(meanfield.jacobian_moments(which, 10, 1.0, sigma_w, weights=weights).variance)


def _fluctuation(name: str) -> float:
    """Return the variance of log‖Ju‖² of a wide relu layer, or how far its mean lies below log E, times the width."""
    width = 10**6
    law = log_jacobian([width, width], "relu", _ROOT)
    return width * (float(law.mean) - float(law.log_mean) if name == "mean" else float(law.variance))


def _through_resnet(x: float, layer: Callable[[float], float]) -> float:
    """Return what a number becomes on its way through 33 residual blocks of three layers, in four groups.

    The shortcut has the weight 0.36; on it stands a layer in the first block of a group, and one behind them all.
    """
    for count in (3, 4, 23, 3):
        for block in range(count):
            x = 0.36 * (x if block else layer(x)) + 0.64 * layer(layer(layer(x)))
    return layer(x)


def _centred() -> float:
    """Return E[σ²] - E[σ]²."""
    return float(gaussian.moment(_SHAPED, 1)) - float(gaussian.correlated(_SHAPED, 0, 1, of="value"))


def _stretched() -> float:
    """Return by what the shaped network stretches the distance of two inputs that are near each other."""
    slope = float(gaussian.moment(_SHAPED, 1, of="slope")) / _centred()
    return _through_resnet(1.0, lambda x: slope * x)


def _not_forgotten() -> float:
    """Return the correlation after the tailored network of two inputs with correlation 0."""
    scale = 1.0 / math.sqrt(gaussian.moment(_TAILORED, 1))
    c = np.linspace(0.0, 1.0, 401)
    layer = CubicSpline(c, np.asarray(meanfield.correlation_map(_TAILORED, c, 1, scale)))
    return _through_resnet(0.0, lambda c: float(layer(c)))


_SHAPED, _TAILORED = (f"leaky_relu(slope={slope})" for slope in ("0.8761257073473065", "0.6291800290346146"))
_CODE = "tests of the parameters"
_NORMED = (blocks.batch_norm(),)
_EDGE, _CRITICAL = "meanfield.edge_of_chaos", "meanfield.critical_initialisation"
_ROOT = 2.0**0.5

NUMBERS: tuple[Published, ...] = (
    Published(
        "LeCun 1998",
        "section 4.4",
        "1.7159·tanh(2z/3) at z = 1",
        "1.000",
        "activation",
        lambda: activation("lecun_tanh").value(1.0),
    ),
    Published(
        "LeCun 1998",
        "section 4.4",
        "where its second derivative is greatest in size",
        "1",
        "activation",
        lambda: -_extremum(_bend, (-2.0, 0.0), -1.0)[0],
    ),
    Published(
        "LeCun 1998",
        "equation 16",
        "the standard deviation of weights with 400 inputs, 1/√m",
        "0.05",
        "initialisation.lecun",
        lambda: float(initialisation.lecun(400, 7).scale),
    ),
    Published(
        "Glorot 2010",
        "equation 12",
        "the variance of weights from 300 neurons to 100",
        "0.005",
        "initialisation.glorot",
        lambda: float(initialisation.glorot(300, 100).scale) ** 2,
        exact="2/(300 + 100)",
    ),
    Published(
        "Glorot 2010",
        "equation 16",
        "the bound of uniform weights from 4 neurons to 2",
        "1",
        "initialisation.glorot",
        lambda: float(initialisation.glorot(4, 2, shape="uniform").bound),
        exact="√6/√(4 + 2)",
    ),
    Published("He 2015", "equation 10", "σ_w² for relu", "2", _EDGE, lambda: _edge("relu")),
    Published(
        "He 2015",
        "equation 15",
        "σ_w² for a PReLU of slope 1/4",
        "1.882353",
        _EDGE,
        lambda: _edge("leaky_relu(slope=1/4)"),
        exact="2/(1 + 1/16)",
    ),
    Published(
        "He 2015",
        "section 2.2",
        "by what Glorot's weights shrink the signal of relu in each layer",
        "0.707107",
        "meanfield.chi",
        lambda: math.sqrt(meanfield.chi("relu", 1, 1)),
        exact="1/√2",
    ),
    Published(
        "Hochreiter 1997",
        "section 3.1",
        "the weight below which the error of a sigmoid fades",
        "4.0",
        "critical_weight",
        lambda: float(critical_weight("sigmoid")),
    ),
    Published(
        "Pascanu 2013",
        "section 2.1",
        "γ, the greatest slope of a sigmoid",
        "0.25",
        "critical_weight",
        lambda: 1.0 / float(critical_weight("sigmoid")),
    ),
    Published(
        "Pascanu 2013", "section 2.1", "γ of tanh", "1", "critical_weight", lambda: 1.0 / float(critical_weight("tanh"))
    ),
    Published(
        "Klambauer 2017", "equation 14", "λ of SELU", "1.0507", "activation", lambda: activation("selu").slope(1.0)
    ),
    Published(
        "Klambauer 2017",
        "equation 14",
        "α of SELU",
        "1.6733",
        "activation",
        lambda: -activation("selu").value(-60.0) / activation("selu").slope(1.0),
    ),
    Published(
        "Klambauer 2017",
        "section 2",
        "the variance that SELU keeps",
        "1",
        "gaussian.moment",
        lambda: gaussian.moment("selu", 1),
    ),
    Published(
        "Klambauer 2017",
        "section 2",
        "the square of the mean that it keeps",
        "0",
        "gaussian.correlated",
        lambda: gaussian.correlated("selu", 0, 1, of="value"),
    ),
    Published(
        "Klambauer 2017",
        "section 2",
        "the factor of a deviation of that variance",
        "0.782648",
        "meanfield.chi_parallel",
        lambda: meanfield.chi_parallel("selu", 1, 1),
    ),
    Published(
        "Sompolinsky 1988",
        "below equation 5",
        "the gain gJ at which a network of tanh becomes chaotic",
        "1",
        _EDGE,
        lambda: _edge("tanh"),
    ),
    Published(
        "Saxe 2014",
        "section on nonlinear networks",
        "the critical gain of tanh",
        "1",
        _EDGE,
        lambda: math.sqrt(_edge("tanh")),
    ),
    Published(
        "Schoenholz 2017",
        "figure 5, as later papers quote it",
        "σ_w² of tanh on the edge at σ_b² = 0.05",
        "1.76",
        _EDGE,
        lambda: _edge("tanh", 0.05),
    ),
    Published(
        "Pennington 2017",
        "section 4; also Xiao 2018",
        "σ_w² of tanh on the edge at σ_b² = 2.01e-5",
        "1.05",
        _EDGE,
        lambda: _edge("tanh", 2.01e-5),
    ),
    Published(
        "Pennington 2017",
        "equation 22",
        "the variance of squared singular values: 10 linear layers of Gaussian weights",
        "10",
        "meanfield.jacobian_moments",
        lambda: _spread("identity", 1.0, "gaussian"),
    ),
    Published(
        "Pennington 2017",
        "equation 22",
        "the same of orthogonal weights",
        "0",
        "meanfield.jacobian_moments",
        lambda: _spread("identity", 1.0, "orthogonal"),
    ),
    Published(
        "Pennington 2017",
        "equation 22",
        "the same of relu, Gaussian",
        "20",
        "meanfield.jacobian_moments",
        lambda: _spread("relu", _ROOT, "gaussian"),
    ),
    Published(
        "Pennington 2017",
        "equation 22",
        "the same of relu, orthogonal: no isometry",
        "10",
        "meanfield.jacobian_moments",
        lambda: _spread("relu", _ROOT, "orthogonal"),
    ),
    Published(
        "Williams 1998",
        "equation 11",
        "E[erf·erf] at q = 1, c = 1/2",
        "0.216347",
        "gaussian.correlated",
        lambda: gaussian.correlated("erf", 0.5, 1, of="value"),
        exact="(2/π)·arcsin(1/3)",
    ),
    Published(
        "Cho 2009",
        "equation 6",
        "the kernel J₁ of relu at a right angle",
        "0.318310",
        "meanfield.correlation_map",
        lambda: meanfield.correlation_map("relu", 0, 1, 1),
        exact="1/π",
    ),
    Published(
        "Cho 2009",
        "equation 6",
        "J₀ of steps at a right angle",
        "0.5",
        "meanfield.correlation_map",
        lambda: meanfield.correlation_map(sympy.Heaviside(_Z, 0), 0, 1, 1),
    ),
    Published(
        "Cho 2009",
        "equation 6",
        "J₂ of relu² at a right angle",
        "0.166667",
        "meanfield.correlation_map",
        lambda: meanfield.correlation_map(sympy.Max(0, _Z) ** 2, 0, 1, 1),
        exact="1/6",
    ),
    Published(
        "Balduzzi 2017",
        "theorem 1",
        "by what the correlation of gradients of relu falls in each layer",
        "0.5",
        "meanfield.correlation_slope",
        lambda: meanfield.correlation_slope("relu", 0, 1, _ROOT),
    ),
    Published(
        "Hayou 2019",
        "section 2",
        "σ_w of relu on the edge, which is one point",
        "1.414214",
        _EDGE,
        lambda: math.sqrt(_edge("relu")),
        exact="√2",
    ),
    Published(
        "Hayou 2019",
        "proposition on the convergence of ReLU",
        "l²·(1 - c_l) of relu after many layers",
        "44.4",
        "meanfield.correlation_map",
        _forgetting,
        exact="9π²/2",
    ),
    Published(
        "Hayou 2018",
        "experiments, as programs quote it",
        "σ_w² of tanh on the edge at σ_b = 0.2",
        "1.722",
        _EDGE,
        lambda: _edge("tanh", 0.04),
        deviation="1.2 % off: with 1.722 χ₁ is 1.0044 at the fixed point, so that gradients grow e-fold in 226 layers. It is no root of the equations; how it was found is not said.",
    ),
    Published(
        "Hayou 2018",
        "experiments, as programs quote it",
        "σ_w² of swish on the edge at σ_b = 0.2",
        "2.952",
        _EDGE,
        lambda: _edge("silu", 0.04),
        deviation="4.7 % off: with 2.952 the variance map has no fixed point, and variances grow without bound. On the edge the fixed point is unstable (`.stable` is False), so that a search that iterates the variance does not end there.",
    ),
    Published(
        "Roberts 2022", "section 5.3.4", "C_W of GELU", "1.98305826", _CRITICAL, lambda: _critical("gelu", "sigma_w")
    ),
    Published(
        "Roberts 2022", "section 5.3.4", "C_b of GELU", "0.17292239", _CRITICAL, lambda: _critical("gelu", "sigma_b")
    ),
    Published(
        "Roberts 2022",
        "section 5.3.4",
        "K* of GELU",
        "3.561553",
        _CRITICAL,
        lambda: _critical("gelu", "q"),
        exact="(3 + √17)/2",
    ),
    Published(
        "Roberts 2022", "section 5.3.4", "C_W of SWISH", "1.98800468", _CRITICAL, lambda: _critical("swish", "sigma_w")
    ),
    Published(
        "Roberts 2022", "section 5.3.4", "C_b of SWISH", "0.55514317", _CRITICAL, lambda: _critical("swish", "sigma_b")
    ),
    Published(
        "Roberts 2022", "section 5.3.4", "K* of SWISH", "14.32017362", _CRITICAL, lambda: _critical("swish", "q")
    ),
    Published(
        "Roberts 2022",
        "section 5.3.4, as programs copy it",
        "C_b of SWISH",
        "0.055514317",
        _CRITICAL,
        lambda: _critical("swish", "sigma_b"),
        deviation="A slip of the decimal point: with 0.0555 the book's own K* is no fixed point, since the variance map takes 14.32 to 13.82; with 0.5551 it is.",
    ),
    Published(
        "Roberts 2022",
        "section 5.3.3",
        "a₁ of tanh: variances fall as 1/(2l)",
        "-2.00",
        "meanfield.variance_map",
        lambda: _first_power("tanh"),
    ),
    Published(
        "Roberts 2022",
        "section 5.3.3",
        "a₁ of the sine: they fall as 1/l",
        "-1.00",
        "meanfield.variance_map",
        lambda: _first_power("sine"),
    ),
    Published(
        "Yang 2017",
        "theorem on ReLU",
        "growth of gradients by relu residual layers of σ_w² = 2",
        "2",
        "architecture",
        lambda: architecture([blocks.residual([blocks.dense("relu", _ROOT)])]).growth.rate,
    ),
    Published(
        "Yang 2019",
        "section 1",
        "growth of gradients by relu layers with batch normalisation",
        "1.467",
        "architecture",
        lambda: architecture([blocks.dense("relu"), *_NORMED]).growth.rate,
        exact="π/(π − 1)",
    ),
    Published(
        "Yang 2019",
        "section on linear networks",
        "the same of linear layers, of a large batch",
        "1",
        "architecture",
        lambda: architecture([blocks.dense(), *_NORMED]).growth.rate,
        exact="(B − 2)/(B − 3) as B grows",
    ),
    Published(
        "Xiong 2020",
        "lemma 2",
        "the mean square after a feed-forward block, that before it being 1",
        "1.5",
        "architecture",
        lambda: (
            architecture([blocks.residual([blocks.dense("identity", 1.0), blocks.dense("relu", 1.0)])])
            .propagate(1, 1.0)
            .variance[1]
        ),
    ),
    Published(
        "Hanin & Rolnick 2018",
        "abstract",
        "the variance of weights, times the fan-in, that keeps the length of activations of relu",
        "2",
        "meanfield.chi_parallel",
        lambda: 1.0 / float(meanfield.chi_parallel("relu", 1, 1)),
    ),
    Published(
        "Hanin & Nica 2018",
        "application to relu",
        "n·Var log‖Ju‖² of a relu layer of n neurons",
        "5.00",
        "log_jacobian",
        lambda: _fluctuation("variance"),
        exact="5",
    ),
    Published(
        "Hanin & Nica 2018",
        "application to relu",
        "n times how far E log‖Ju‖² lies from log E‖Ju‖²",
        "-2.50",
        "log_jacobian",
        lambda: _fluctuation("mean"),
        exact="−5/2",
    ),
    Published(
        "Martens 2021",
        _CODE,
        "by what a residual network of 33 blocks stretches small differences with leaky_relu of slope 0.876126",
        "1.2",
        "gaussian.moment",
        _stretched,
    ),
    Published(
        "Martens 2021",
        _CODE,
        "what is added to that leaky_relu so that its mean is 0",
        "-0.049418693",
        "gaussian.correlated",
        lambda: -math.sqrt(gaussian.correlated(_SHAPED, 0, 1, of="value")),
    ),
    Published(
        "Martens 2021",
        _CODE,
        "the factor on it that makes its mean square 1",
        "1.065183271",
        "gaussian.moment",
        lambda: _centred() ** -0.5,
    ),
    Published(
        "Zhang 2022",
        _CODE,
        "the correlation, behind that network, of unrelated inputs with leaky_relu of slope 0.629180",
        "0.75",
        "meanfield.correlation_map",
        _not_forgotten,
    ),
    Published(
        "Zhang 2022",
        _CODE,
        "the factor on it that makes its mean square 1",
        "1.196996550",
        "meanfield.gain",
        lambda: meanfield.gain(_TAILORED).forward,
    ),
    Published(
        "Lu 2019",
        "theorem on networks that are born dead",
        "the share of relu neurons in a row that survive another layer",
        "0.5",
        "lyapunov_exponent",
        lambda: lyapunov_exponent("relu", 2, 0).survival,
    ),
    Published(
        "Cohen 1984",
        "the case of 1 × 1 matrices",
        "the Lyapunov exponent of products of Gaussian numbers",
        "-0.635181",
        "lyapunov_exponent",
        lambda: lyapunov_exponent("identity", 1, 0).value,
        exact="−(γ + log 2)/2",
    ),
    Published(
        "Elfwing 2018",
        "section 2",
        "the least value of SiLU",
        "-0.28",
        "activation",
        lambda: _extremum(activation("silu").value, (-3.0, 0.0))[1],
    ),
    Published(
        "Elfwing 2018",
        "section 2",
        "where it is",
        "-1.28",
        "activation",
        lambda: _extremum(activation("silu").value, (-3.0, 0.0))[0],
    ),
    Published(
        "Elfwing 2018",
        "section 2",
        "the greatest slope of SiLU",
        "1.1",
        "critical_weight",
        lambda: 1.0 / float(critical_weight("silu")),
    ),
    Published(
        "Elfwing 2018",
        "section 2",
        "its least slope",
        "-0.1",
        "activation",
        lambda: _extremum(activation("silu").slope, (-5.0, 0.0))[1],
    ),
    Published(
        "Elfwing 2018",
        "section 2",
        "where the slope is greatest",
        "2.4",
        "activation",
        lambda: _extremum(activation("silu").slope, (0.0, 5.0), -1.0)[0],
    ),
    Published(
        "Misra 2019",
        "section 2",
        "the least value of Mish",
        "-0.31",
        "activation",
        lambda: _extremum(activation("mish").value, (-3.0, 0.0))[1],
    ),
    Published(
        "Cohen 2021",
        "section 2",
        "the sharpness times η at which gradient descent diverges",
        "2",
        "stability_region",
        lambda: _limit("gradient_descent"),
    ),
    Published(
        "Cohen 2021",
        "equation 1",
        "the same of Polyak's momentum, β = 0.9",
        "3.8",
        "stability_region",
        lambda: _limit("heavy_ball", 0.9),
        exact="2·(1 + β)",
    ),
    Published(
        "Cohen 2021",
        "equation 1",
        "the same of Nesterov's",
        "1.357143",
        "stability_region",
        lambda: _limit("nesterov", 0.9),
        exact="2·(1 + β)/(1 + 2β)",
    ),
    Published(
        "Cohen 2022",
        "abstract",
        "the preconditioned sharpness times η at which Adam with β₁ = 0.9 is unstable",
        "38",
        "stability_region",
        lambda: _limit("adam", 0.9),
        exact="(2 + 2β₁)/(1 − β₁)",
    ),
    Published(
        "Lessard 2016",
        "table 1",
        "the best rate of gradient descent on quadratics of condition number 9",
        "0.8",
        "stability_region",
        lambda: float(stability_region("gradient_descent").optimal(1, 9).rate),
    ),
    Published(
        "Lessard 2016",
        "table 1",
        "the same of heavy ball",
        "0.5",
        "stability_region",
        lambda: float(stability_region("heavy_ball").optimal(1, 9).rate),
    ),
    Published(
        "Lessard 2016",
        "table 1",
        "the same of Nesterov's method",
        "0.622036",
        "stability_region",
        lambda: float(stability_region("nesterov").optimal(1, 9).rate),
        exact="1 − 2/√28",
    ),
    Published(
        "Micikevicius 2018",
        "section 3.1",
        "halvings after which a gradient of 1 is still not 0 in float16, whose least number is 2^−24",
        "24",
        "overflow_depth",
        lambda: float(overflow_depth(sympy.Rational(1, 2), "float16")) - 1.0,
    ),
    Published(
        "PyTorch 2.13",
        "table",
        "the gain of relu",
        "1.414214",
        "meanfield.gain",
        lambda: meanfield.gain("relu").backward,
        exact="√2",
    ),
    Published(
        "PyTorch 2.13",
        "table",
        "the gain of leaky_relu, slope 0.01",
        "1.414143",
        "meanfield.gain",
        lambda: meanfield.gain("leaky_relu(slope=1/100)").backward,
        exact="√(2/(1 + 0.01²))",
    ),
    Published(
        "PyTorch 2.13",
        "table",
        "the gain of tanh",
        "1.6667",
        "meanfield.gain",
        lambda: meanfield.gain("tanh").forward,
        exact="5/3",
        deviation="The gain that keeps the mean square of activations at 1 is 1.5925. 5/3 keeps another one: at its fixed point χ₁ = 1.21, gradients grow (see [gains](gains.md)).",
    ),
    Published(
        "PyTorch 2.13",
        "table",
        "the gain of SELU",
        "0.75",
        "meanfield.gain",
        lambda: meanfield.gain("selu").forward,
        exact="3/4",
        deviation="SELU keeps the mean square with the gain 1, by its definition; the documentation says itself that 3/4 gives up self-normalisation for stabler gradients.",
    ),
)
