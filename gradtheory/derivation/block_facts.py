"""Facts on the blocks of wide networks at initialisation: what each makes of variances and gradients."""

from collections.abc import Mapping
from types import MappingProxyType

import sympy

from gradtheory.chains.symbols import equation
from gradtheory.derivation.language import STEEPEST
from gradtheory.formulas import WrittenProduct, WrittenSum, as_made

_NORMAL, _COVARIANCE, _CHI, _SCALE, _BIAS = sympy.symbols("t p chi alpha b", real=True)
_KEEP, _VARIANCE, _SIZE = sympy.symbols("k q s", positive=True)
_DEPTH, _LAYER, _TOKENS = sympy.symbols("L l n", integer=True, positive=True)

_INNER = WrittenProduct((_SIZE**2, _VARIANCE))
_DROPPED = WrittenSum(as_made(sympy.Mul, _INNER, 1 / _KEEP), _BIAS**2)  # the variance after a layer
_DENSITY = sympy.exp(-(_NORMAL**2) / 2) / sympy.sqrt(2 * sympy.pi)
_UNIFORM = WrittenSum(_COVARIANCE, (_VARIANCE - _COVARIANCE) / _TOKENS)  # q' and p' of uniform attention, over σ_v²


def _on_half(moment: sympy.Expr) -> sympy.Expr:
    """Return the mean of a moment of t ~ N(0, 1) over t > 0, where relu has the slope 1."""
    return sympy.Integral(moment * _DENSITY, (_NORMAL, 0, sympy.oo))


_SPREAD = WrittenSum(_on_half(_NORMAL**2), -(_on_half(_NORMAL) ** 2))  # Var[relu(t)]


def _total(variance: sympy.Expr, covariance: sympy.Expr) -> sympy.Expr:
    """Return the sum of all products of n tokens, over n."""
    return WrittenSum(variance, WrittenProduct((_TOKENS - 1, covariance)))


def _after(moment: sympy.Expr) -> sympy.Expr:
    return WrittenSum(moment, WrittenProduct((_SCALE**2 * _SIZE**2, _UNIFORM)))


# Statement and source of each; the words stand under [facts] in the message catalogues.
_GREATEST = WrittenProduct((_SIZE, STEEPEST))
SMALL_WEIGHTS = (sympy.Lt(_GREATEST, 1, evaluate=False),)
SOME_ARE_DROPPED = (sympy.Lt(_KEEP, 1),)
BLOCK_FACTS: Mapping[str, tuple[sympy.Basic, str]] = MappingProxyType(
    {
        "residual_growth": (
            equation(sympy.Product(1 + _SCALE**2 * _CHI, (_LAYER, 1, _DEPTH)), (1 + _SCALE**2 * _CHI) ** _DEPTH),
            "Yang & Schoenholz, Mean field residual networks: on the edge of chaos (2017)",
        ),
        "residual_limit": (
            equation(sympy.Limit((1 + _CHI / _DEPTH) ** _DEPTH, _DEPTH, sympy.oo), sympy.exp(_CHI)),
            "Hanin & Rolnick, How to start training: the effect of initialization and architecture (2018)",
        ),
        "pre_norm_growth": (
            equation(sympy.Product(1 + 1 / _LAYER, (_LAYER, 1, _DEPTH)), _DEPTH + 1),
            "Xiong et al., On layer normalization in the transformer architecture (2020)",
        ),
        "batch_norm_rate": (
            equation(WrittenProduct(_on_half(sympy.S.One), 1 / _SPREAD), sympy.pi / (sympy.pi - 1)),
            "Yang et al., A mean field theory of batch normalization (2019)",
        ),
        "dropout_correlation": (
            sympy.Lt(as_made(sympy.Mul, WrittenSum(_INNER, _BIAS**2), 1 / _DROPPED), 1, evaluate=False),
            "Schoenholz et al., Deep information propagation (2017), section 4",
        ),
        "recurrent_bound": (
            sympy.Lt(_GREATEST**_DEPTH, 1, evaluate=False),
            "Pascanu, Mikolov & Bengio, ICML (2013), section 2.1",
        ),
        "attention_total": (
            equation(
                _total(_after(_VARIANCE), _after(_COVARIANCE)),
                WrittenProduct((1 + _SCALE**2 * _SIZE**2, _total(_VARIANCE, _COVARIANCE))),
            ),
            "Noci et al., Signal propagation in transformers (2022), section 3",
        ),
        "attention_collapse": (
            equation(
                WrittenSum(_after(_VARIANCE), as_made(sympy.Mul, sympy.S.NegativeOne, _after(_COVARIANCE))),
                _VARIANCE - _COVARIANCE,
            ),
            "Noci et al., Signal propagation in transformers (2022), section 3",
        ),
    }
)
