"""Activations made of straight pieces: their slope is a step function."""

from dataclasses import replace

import numpy as np
from sympy import Abs, Expr, Interval, Max, Min, Piecewise, Rational, S

from gradtheory.activations.catalogue.rectifiers import leaky_relu
from gradtheory.activations.catalogue.shapes import steps
from gradtheory.activations.catalogue.shared_kernels import exceeds, is_less, linear, log_odds_of
from gradtheory.activations.family import Family
from gradtheory.activations.record import Activation, Z
from gradtheory.arithmetic.enclosure import sign
from gradtheory.arithmetic.inputs import read_positive
from gradtheory.arithmetic.pairs import pair_of
from gradtheory.errors import InvalidArgument

identity = Activation(
    name="identity",
    symbol=r"\operatorname{id}",
    expr=Z,
    range=S.Reals,
    branches=steps(corners=(), slopes=(S.One,)),
    kernel=linear,
    reference="the linear chain, where every factor is the weight itself",
    peers={"torch": "torch.nn.Identity", "jax": "jax.nn.identity", "keras": "keras.activations.linear"},
)


_EIGHTH, _SIXTH, _THIRD = (Rational(1, n) for n in (8, 6, 3))


@Family
def rrelu(lower: Expr = _EIGHTH, upper: Expr = _THIRD) -> Activation:
    """max(z, 0) + slope·min(z, 0) with the slope in evaluation, (lower + upper)/2; in training it is random."""
    if sign(upper - lower) < 0:
        raise InvalidArgument("upper", upper, f"must be at least lower, {lower}")
    return replace(
        leaky_relu(slope=(lower + upper) / 2),
        name=rrelu.name_with_parameters(lower=lower, upper=upper),
        symbol=r"\operatorname{rrelu}",
        reference="Xu, Wang, Chen & Li, arXiv:1505.00853 (2015), in evaluation mode",
        peers={"torch": "torch.nn.functional.rrelu"},
    )


@Family
def hard_sigmoid(slope: Expr = _SIXTH) -> Activation:
    """slope·z + 1/2, cut to [0, 1]: slope 1/6 in PyTorch and Keras 3, 1/5 in Theano and Keras before 3."""
    slope = read_positive(slope, "slope")
    corner = 1 / (2 * slope)
    steep, edge, stretch = float(slope), pair_of(corner), float(1 / slope)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = np.where(is_less(np.abs(z), edge), steep, 0.0)
        np.clip((z + edge[0] + edge[1]) / stretch, 0.0, 1.0, out=value)

    return Activation(
        name=hard_sigmoid.name_with_parameters(slope=slope),
        symbol=r"\operatorname{hard\,\sigma}",
        expr=Max(0, Min(1, slope * Z + Rational(1, 2))),
        slope_expr=Piecewise((0, Abs(Z) >= corner), (slope, True)),
        range=Interval(0, 1),
        branches=steps(corners=(-corner, corner), slopes=(S.Zero, slope, S.Zero)),
        kernel=kernel,
        reference="Courbariaux, Bengio & David, NIPS (2015), eq. 3; slope 1/6: Howard et al., ICCV (2019)",
        peers={
            "torch": "torch.nn.functional.hardsigmoid",
            "jax": "jax.nn.hard_sigmoid",
            "keras": "keras.activations.hard_sigmoid",
        },
    )


@Family
def hard_tanh(lower: Expr = -S.One, upper: Expr = S.One) -> Activation:
    """σ(z) = z, cut to [lower, upper]."""
    if sign(upper - lower) <= 0:
        raise InvalidArgument("upper", upper, f"must be greater than lower, {lower}")
    low, high = pair_of(lower), pair_of(upper)

    def kernel(z: np.ndarray, value: np.ndarray, slope: np.ndarray) -> None:
        slope[...] = exceeds(z, low) & is_less(z, high)
        np.clip(z, low[0], high[0], out=value)

    centre, half = (lower + upper) / 2, (upper - lower) / 2
    return Activation(
        name=hard_tanh.name_with_parameters(lower=lower, upper=upper),
        symbol=r"\operatorname{hard\,tanh}",
        expr=Max(lower, Min(upper, Z)),
        slope_expr=Piecewise((0, Abs(Z - centre) >= half), (1, True)),
        range=Interval(lower, upper),
        branches=steps(corners=(lower, upper), slopes=(S.Zero, S.One, S.Zero)),
        kernel=kernel,
        log_odds=log_odds_of(kernel) if sign(lower) > 0 > sign(upper - 1) else None,
        reference="Collobert, Large scale machine learning, PhD thesis, Université Paris 6 (2004)",
        peers={
            "torch": "torch.nn.functional.hardtanh",
            "jax": "jax.nn.hard_tanh",
            "keras": "keras.activations.hard_tanh",
        },
    )


relu6 = replace(
    hard_tanh(lower=0, upper=6),
    name="relu6",
    symbol=r"\operatorname{relu6}",
    reference="Krizhevsky, Convolutional deep belief networks on CIFAR-10 (2010)",
    peers={"torch": "torch.nn.functional.relu6", "jax": "jax.nn.relu6", "keras": "keras.activations.relu6"},
)
sparse_sigmoid = replace(
    hard_sigmoid(slope="1/2"),
    name="sparse_sigmoid",
    symbol=r"\operatorname{sparse\,\sigma}",
    reference="Blondel, Martins & Niculae, JMLR 21 (2020), section 6.2",
    peers={"jax": "jax.nn.sparse_sigmoid", "keras": "keras.activations.sparse_sigmoid"},
)
