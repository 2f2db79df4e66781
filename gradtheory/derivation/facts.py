"""Named facts: statements that hold for every activation that meets their conditions, with their sources."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import sympy
from sympy.logic.boolalg import Equivalent

from gradtheory.activations import Activation, Z
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.choices import one_of
from gradtheory.chains.chain import Chain
from gradtheory.chains.symbols import equation
from gradtheory.derivation.block_facts import BLOCK_FACTS, SMALL_WEIGHTS, SOME_ARE_DROPPED
from gradtheory.derivation.checks import CERTIFIED, NUMERIC, Trial, Verdict, decide, unknown
from gradtheory.derivation.depth_language import ChainSlope, ChainValue
from gradtheory.derivation.graph import ChainRule
from gradtheory.derivation.language import (
    DEPTH_BOUND,
    GENERIC,
    RANGE,
    STEEPEST,
    VARIATION,
    WEAK_NORM,
    AffineMeasure,
    ChainMeasure,
    Measure,
    Partial,
    Sigma,
    Slope,
    SpectralRadius,
    Width,
)
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import formula
from gradtheory.explosion import widest_explosion
from gradtheory.explosion.depth import depth_bound, membership
from gradtheory.formulas import WrittenProduct, WrittenSum
from gradtheory.typing import ActivationLike

W, B, X, OTHER_X = sympy.symbols("w b x y", real=True)
C, T = sympy.symbols("c t", positive=True)
ALPHA, SCALE = sympy.symbols("alpha k", real=True, nonzero=True)
DEPTH, LAYER = sympy.symbols("L l", integer=True, positive=True)
DEEP = Chain(DEPTH, GENERIC)
_TRACE, _LAST, _SHARE, _FIRST, _SECOND = sympy.symbols("p q tau w_1 w_2", real=True)


@dataclass(frozen=True)
class Fact:
    """A statement with its conditions and its source.

    Parameters
    ----------
    name : str
        Its id; the words for its title and its conditions stand under this key in the message catalogues.
    statement : sympy.Basic
        In the words of `gradtheory.derivation.language`.
    source : str
        Paper and equation.
    applies : callable
        Whether an activation meets the conditions.
    assumptions : tuple of sympy.Basic
        What holds for the symbols, beside what they are declared to be.
    rule : ChainRule, optional
        The chain that it speaks of.
    is_theorem : bool
        Whether it is certified where its conditions are proven to hold: the source has a proof, of which the machine
        checks instances only.

    """

    name: str
    statement: sympy.Basic
    source: str
    applies: Callable[[Activation], bool] = field(default=lambda _: True, repr=False)
    assumptions: tuple[sympy.Basic, ...] = ()
    rule: ChainRule | None = None
    is_theorem: bool = False

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {formula(self.statement).latex()}$"

    def check(self, activation: ActivationLike) -> Verdict:
        """Check the fact for one activation that meets its conditions.

        Raises
        ------
        InvalidArgument
            If the fact speaks of H, and the activation is not in class N, where alone H is known.

        Examples
        --------
        >>> FACTS["logistic"].check("sigmoid").check
        <Check.EXACT: 'exact'>

        """
        meaning = Meaning(record := as_activation(activation))
        if self.statement.has(DEPTH_BOUND):
            meaning.constants[DEPTH_BOUND]()  # refuses what is not in class N
        verdict = decide(self.statement, Trial(self.assumptions, meaning, self.rule, is_tight=False))
        if verdict == NUMERIC and not self.applies(record):
            return unknown("its conditions are not met")
        return CERTIFIED if verdict == NUMERIC and self.is_theorem else verdict


def fact(name: str) -> Fact:
    """Return the named fact.

    Parameters
    ----------
    name : str
        Its id, such as "widest" or "two_point"; "two-point" is the same.

    Raises
    ------
    InvalidArgument
        If there is none of that name.

    Examples
    --------
    >>> fact("logistic").statement
    Eq(σ'(z), (1 - σ(z))*σ(z))

    """
    return FACTS[one_of(name.replace("-", "_") if isinstance(name, str) else name, "fact", tuple(FACTS))]


def _is_finite(number: sympy.Expr) -> bool:
    return not number.is_infinite


def _has_finite_slope(record: Activation) -> bool:
    return _is_finite(record.steepest_slope)


def _has_finite_norm(record: Activation) -> bool:
    return _is_finite(widest_explosion(record).width)


def _is_bounded_and_monotone(record: Activation) -> bool:
    if record.period is not None or record.profile.jumps or not all(limit.is_finite for limit in record.limits):
        return False
    return len({branch.direction for branch in record.profile.branches} - {0}) == 1


def _is_in_class_n(record: Activation) -> bool:
    return membership(record).is_member


def _has_depth_bound(record: Activation) -> bool:
    return _is_in_class_n(record) and _is_finite(depth_bound(record).value)


def _named(*names: str) -> Callable[[Activation], bool]:
    return lambda record: record.name in names


_NEURON = W * X + B
_WIDE_ENOUGH = sympy.Gt(abs(Slope(Z) * W), C)
_HERE, _THERE = ChainSlope(X), ChainSlope(OTHER_X)
_BETWEEN = ChainSlope(WrittenSum(WrittenProduct((1 - _SHARE, X)), _SHARE * OTHER_X))
_SINGER = "Singer, SIAM J. Appl. Math. 35 (1978), theorem 2.1"

_ALL = (
    Fact(
        "chain_rule",
        equation(DEEP.delta[LAYER], Slope(DEEP.z[LAYER]) * DEEP.w[LAYER + 1] * DEEP.delta[LAYER + 1]),
        "Rumelhart, Hinton & Williams, Nature 323 (1986), eqs 4-7",
        rule=ChainRule(DEEP),
    ),
    Fact(
        "gradient_product",
        equation(Partial(DEEP.C, DEEP.w[LAYER]), DEEP.gradient(DEEP.w[LAYER])),
        "Rumelhart, Hinton & Williams, Nature 323 (1986), eqs 4-7",
        rule=ChainRule(DEEP),
    ),
    Fact(
        "error_bound",
        sympy.Le(abs(DEEP.delta[LAYER]), C * abs(DEEP.delta[LAYER + 1])),
        "Pascanu, Mikolov & Bengio, ICML (2013), section 2.1",
        applies=_has_finite_slope,
        assumptions=(sympy.Le(abs(DEEP.w[LAYER + 1]), C / STEEPEST),),
        rule=ChainRule(DEEP),
    ),
    Fact(
        "logistic",
        equation(Slope(Z), Sigma(Z) * (1 - Sigma(Z))),
        "Verhulst, Correspondance mathématique et physique 10 (1838)",
        applies=_named("sigmoid"),
    ),
    Fact(
        "factor",
        Equivalent(abs(Slope(Z) * W) > C, abs(Slope(Z)) > C / abs(W)),
        "Nielsen, Neural Networks and Deep Learning (2015), chapter 5",
        assumptions=(sympy.Ne(W, 0),),
    ),
    Fact(
        "critical_weight",
        sympy.Gt(abs(W), C / STEEPEST),
        "Nielsen, Neural Networks and Deep Learning (2015), chapter 5",
        applies=_has_finite_slope,
        assumptions=(_WIDE_ENOUGH,),
    ),
    Fact(
        "width",
        equation(Width(W, C), Measure(C / abs(W)) / abs(W)),
        "Rudin, Real and Complex Analysis, 3rd ed. (1987), theorem 2.20",
        assumptions=(sympy.Ne(W, 0),),
    ),
    Fact(
        "widest",
        sympy.Le(Width(W, C), WEAK_NORM / C),
        "Grafakos, Classical Fourier Analysis, 3rd ed. (2014), definition 1.1.5",
        applies=_has_finite_norm,
        assumptions=(sympy.Ne(W, 0),),
    ),
    Fact(
        "weak_norm",
        sympy.Le(T * Measure(T), WEAK_NORM),
        "Grafakos, Classical Fourier Analysis, 3rd ed. (2014), definition 1.1.5",
        applies=_has_finite_norm,
    ),
    Fact(
        "total_variation",
        sympy.Le(WEAK_NORM, VARIATION),
        "Grafakos, Classical Fourier Analysis, 3rd ed. (2014), proposition 1.1.6",
        is_theorem=True,
    ),
    Fact(
        "any_depth",
        sympy.Le(ChainMeasure(C, _FIRST, _SECOND), RANGE / C),
        "Grafakos, Classical Fourier Analysis, 3rd ed. (2014), proposition 1.1.6",
        applies=_is_bounded_and_monotone,
        is_theorem=True,
    ),
    Fact(
        "two_point",
        sympy.Le(abs(_HERE * _THERE) * (X - OTHER_X) ** 2, (ChainValue(X) - ChainValue(OTHER_X)) ** 2),
        "Nehari, Bull. Amer. Math. Soc. 55 (1949); Allwright, SIAM J. Appl. Math. 34 (1978); "
        f"{_SINGER}; Cook, Hammerlindl & Tucker, arXiv:2303.12814; Coq: proofs/two_point.v, two_point_chain",
        applies=_is_in_class_n,
        assumptions=(sympy.Ne(X, OTHER_X),),
        is_theorem=True,
    ),
    Fact(
        "two_inputs",
        sympy.Le(abs(_HERE * _THERE) * (X - OTHER_X) ** 2, DEPTH_BOUND**2),
        "Coq: proofs/limit.v, width_at_most_H",
        applies=_has_depth_bound,
        assumptions=(sympy.Ne(X, OTHER_X),),
        is_theorem=True,
    ),
    Fact(
        "depth",
        sympy.Le(ChainMeasure(C, _FIRST, _SECOND), DEPTH_BOUND / C),
        "Coq: proofs/limit.v, width_at_most_H, H_is_the_least; proofs/sigmoid.v, explosion_width",
        applies=_has_depth_bound,
        is_theorem=True,
    ),
    Fact(
        "one_interval",
        sympy.Ge(abs(_BETWEEN), sympy.Min(abs(_HERE), abs(_THERE))),
        f"{_SINGER}; Coq: proofs/interval.v, explosion_set_is_interval",
        applies=_is_in_class_n,
        assumptions=(sympy.Gt(_SHARE, 0), sympy.Lt(_SHARE, 1)),
        is_theorem=True,
    ),
    Fact(
        "vanishing_elsewhere",
        sympy.Le(abs(_THERE), DEPTH_BOUND**2 / (abs(_HERE) * (X - OTHER_X) ** 2)),
        "Coq: proofs/corollaries.v, explosion_here_means_vanishing_elsewhere",
        applies=_has_depth_bound,
        assumptions=(sympy.Ne(X, OTHER_X), sympy.Gt(abs(_HERE), 0)),
        is_theorem=True,
    ),
    Fact(
        "schur_cohn",
        Equivalent(
            SpectralRadius(_TRACE, _LAST) < 1,
            sympy.And(*(WrittenSum(sympy.S.One, each, _LAST) > 0 for each in (_TRACE, -_TRACE)), _LAST < 1),
        ),
        "Jury, Theory and Application of the z-Transform Method (1964), section 3.2",
    ),
    Fact(
        "scaling",
        equation(AffineMeasure(ALPHA, SCALE, T), Measure(T / abs(ALPHA * SCALE)) / abs(SCALE)),
        "Rudin, Real and Complex Analysis, 3rd ed. (1987), theorem 2.20",
    ),
    Fact("residual_growth", *BLOCK_FACTS["residual_growth"]),
    Fact("residual_limit", *BLOCK_FACTS["residual_limit"]),
    Fact("pre_norm_growth", *BLOCK_FACTS["pre_norm_growth"]),
    Fact("batch_norm_rate", *BLOCK_FACTS["batch_norm_rate"]),
    Fact("dropout_correlation", *BLOCK_FACTS["dropout_correlation"], assumptions=SOME_ARE_DROPPED),
    Fact("recurrent_bound", *BLOCK_FACTS["recurrent_bound"], applies=_has_finite_slope, assumptions=SMALL_WEIGHTS),
    Fact("attention_total", *BLOCK_FACTS["attention_total"]),
    Fact("attention_collapse", *BLOCK_FACTS["attention_collapse"]),
)
FACTS: Mapping[str, Fact] = MappingProxyType({known.name: known for known in _ALL})
