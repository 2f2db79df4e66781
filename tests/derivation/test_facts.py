"""Facts hold where their conditions are met and fail where they are not; bad questions are refused."""

import dataclasses

import pytest
import sympy

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.derivation import FACTS, Step
from gradtheory.derivation.depth_language import CLASS_N, LOG_CONCAVE, Convex, in_angles
from gradtheory.derivation.digits import InNumbers
from gradtheory.derivation.language import Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.writing import fact_in_words
from gradtheory.errors import InvalidArgument

_X = sympy.Symbol("x", real=True)
_FLAT = sympy.Max(0, sympy.tanh(Z) - 2)
_L = sympy.Symbol("L", integer=True, positive=True)


def test_a_fact_in_words():
    said = fact_in_words(gt.fact("logistic"), "en")
    assert set(said) == {"title", "conditions", "source"}
    assert said["source"] == "Verhulst, Correspondance mathématique et physique 10 (1838)"


@pytest.mark.slow
def test_values_of_an_explosion():
    derivation = gt.derive("explosion", values={"w": 7, "b": 1, "c": 1})
    results = [step.statement.result for step in derivation.steps if isinstance(step.statement, InNumbers)]
    exact = gt.explosion_set("sigmoid", w=7, b=1)
    assert [float(each.rhs) for each in results[:2]] == pytest.approx([float(exact.start), float(exact.end)])
    assert float(results[2].rhs) == pytest.approx(0.447656924849260)
    below = gt.derive("explosion", values={"w": 3, "b": 1, "c": 1})
    assert below.steps[-1].rule == "nothing_explodes"
    assert below.check().ok


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: gt.derive("integral"), "topic = 'integral'"),
        (lambda: gt.derive("stability", optimiser="sgd"), "optimiser = 'sgd'"),
        (lambda: gt.derive("gradient", depth=0), "depth = 0"),
        (lambda: gt.derive("gradient", wrt="q1"), "wrt = 'q1'"),
        (lambda: gt.derive("gradient", wrt="w9"), "layer"),
        (lambda: gt.derive("gradient", lang="fr"), "lang = 'fr'"),
        (lambda: gt.derive("gradient", loss="hinge"), "loss = 'hinge'"),
        (lambda: gt.derive("gradient", values={"x": 1}), "left out"),
        (lambda: gt.derive("explosion", values={"q": 1}), "values = 'q': must name w, b, c"),
        (lambda: gt.derive("gradient", 6, values={"q": 1}), "values = 'q': must name x, y, w1, w2, w3, w4, …, b5, b6"),
        (
            lambda: gt.derive("gradient", 1, values={"x": 1}),
            "values = {'x': 1}: must be all of x, y, w1, b1, or none: y, w1, b1 left out",
        ),
        (lambda: gt.derive("explosion", values={"w": "__import__('os')", "b": 0, "c": 1}), "values['w']"),
        (
            lambda: gt.derive("explosion", values={"w": 0, "b": 0, "c": 1}),
            "values = 'w = 0': must have a weight that is not 0",
        ),
        (lambda: gt.derive("explosion", values={"w": 1, "b": 0, "c": -1}), "values = 'c = -1': must have a positive"),
        (
            lambda: gt.derive("explosion", activation="bent_identity", values={"w": 2, "b": 0, "c": 1}),
            "values = 'w = 2': is a weight at which one formula goes over into another",
        ),
        (
            lambda: gt.derive("widest", values={"w": 1}),
            "values = {'w': 1}: is not used by 'widest', which takes activation",
        ),
        (lambda: gt.derive("weight_decay", depth=3), "depth = 3: is not used by 'weight_decay'"),
        (lambda: gt.derive("initialisation", depth=5), "depth = 5: is used by 'initialisation' with values only"),
        (lambda: gt.derive("clipping", wrt="w7"), "wrt = 'w7': is not used by 'clipping', which takes activation"),
        (lambda: gt.derive("stability", activation="tanh"), "activation = 'tanh': is not used by 'stability'"),
        (lambda: gt.derive("explosion", loss="squared"), "loss = 'squared': is not used by 'explosion'"),
        (lambda: gt.derive("gradient", optimiser="adam"), "optimiser = 'adam': is not used by 'gradient', which takes"),
        (lambda: gt.derive("gradient", depth=_L, values={"x": 1}), "values = 'x': takes no values here"),
        (lambda: gt.derive("initialisation", values={"sigma_w": -1, "c": 1}), "sigma_w = -1"),
        (lambda: gt.derive("initialisation", values={"sigma_w": 1}), "left out"),
        (lambda: gt.derive("initialisation", depth=_L, values={"sigma_w": 1, "c": 1}), "depth = L"),
        (lambda: gt.derive("gradient", activation="nope"), "nope"),
        (
            lambda: gt.fact("nope"),
            f"fact = 'nope': must be one of {', '.join(map(repr, [*FACTS][:8]))}, … ({len(FACTS)} of them)",
        ),
        (
            lambda: gt.derive("initialisation", activation=_FLAT, values={"sigma_w": 2, "c": 1}),
            "activation = 'Max(0, tanh(z) - 2)': must have a slope that is not 0 almost everywhere",
        ),
        *(
            (
                lambda topic=topic: gt.derive(topic, activation=_FLAT),
                "must have a slope that is not 0 almost everywhere",
            )
            for topic in ("initialisation", "weight_decay", "clipping", "recurrent")
        ),
        (lambda: gt.fact("depht"), "; the nearest is 'depth'"),
        (
            lambda: gt.fact("depth").check("gelu"),
            "activation = 'gelu': must be in class N, where alone H is known: σ' ch",
        ),
        (lambda: gt.fact("depth").check("sine"), "activation = 'sine': must be in class N"),
        (lambda: gt.fact("two_inputs").check(Z**3), "activation = 'z**3': must be in class N"),
        (
            lambda: gt.fact("vanishing_elsewhere").check(sympy.sign(Z)),
            "must be in class N, where alone H is known: σ j",
        ),
    ],
)
def test_bad_questions_are_refused(call, said):
    with pytest.raises(InvalidArgument) as raised:
        call()
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_hyphen_in_the_name_of_a_fact_is_an_underscore():
    for which in ("two-point", "one-interval", "vanishing-elsewhere"):
        assert gt.fact(which) is gt.fact(which.replace("-", "_"))


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", FACTS)
def test_every_fact_holds_where_its_conditions_are_met(which):
    fact = gt.fact(which)
    met = [
        name
        for name in ("sigmoid", "tanh", "softsign", "relu", "gelu", "gaussian", "elu")
        if fact.applies(gt.activation(name))
    ]
    assert met
    for activation in met:
        verdict = fact.check(gt.activation(activation))
        assert verdict.is_true is True, (activation, verdict.reason)
    assert fact.source


@pytest.mark.parametrize("which", ["logistic", "any_depth", "widest", "depth", "two_inputs", "vanishing_elsewhere"])
def test_facts_fail_where_their_conditions_are_not_met(which):
    assert not gt.fact(which).applies(gt.activation("relu"))
    if which == "logistic":
        assert gt.fact(which).check(gt.activation("tanh")).is_true is False


@pytest.mark.slow
@pytest.mark.parametrize("which", ["two_point", "one_interval"])
@pytest.mark.parametrize("activation", ["gelu", "log_cosh", "quadratic"])
def test_facts_on_class_n_fail_outside_it(which, activation):
    assert not gt.fact(which).applies(gt.activation(activation))
    assert gt.fact(which).check(gt.activation(activation)).is_true is False


@pytest.mark.parametrize(
    ("which", "activation"),
    [("two_point", "gaussian"), ("one_interval", "gaussian"), ("one_interval", "hardshrink"), ("two_point", "arsinh")],
)
def test_points_at_which_a_fact_holds_show_nothing_where_its_conditions_are_not_met(which, activation):
    assert gt.fact(which).check(activation).is_true is not True


def test_towers_of_exponentials_are_left_unknown():
    fact = gt.fact("two_point")
    assert fact.check(gt.expression("exp(exp(exp(exp(z))))")).status == "unknown"  # SymPy would evaluate for ever
    assert fact.check(gt.expression("exp(exp(exp(z)))")).status == "certified"


@pytest.mark.parametrize(
    ("function", "which", "is_true"),
    [
        (CLASS_N, "sigmoid", True),
        (CLASS_N, "gelu", False),
        (CLASS_N, "leaky_relu", False),
        (LOG_CONCAVE, "erf", True),
        (LOG_CONCAVE, "arctan", None),
        (in_angles(sympy.S.Zero, sympy.S.One, _X), "arctan", True),
        (in_angles(sympy.S.Zero, sympy.S.One, _X), "softsign", None),
        (in_angles(sympy.S.Zero, sympy.Rational(1, 9), _X), "isru", None),
        (Slope(Z), "exponential", None),
    ],
)
def test_convexity_is_decided_for_the_activation(function, which, is_true):
    verdict = Step(Convex(function), "class_n", Meaning(gt.activation(which))).verdict
    assert verdict.is_true is is_true, verdict.reason


@pytest.mark.parametrize("which", ["two_point", "two_inputs", "vanishing_elsewhere"])
def test_facts_on_depth_with_half_the_constant_are_refuted(which):
    fact = gt.fact(which)
    left, right = fact.statement.args
    halved = dataclasses.replace(fact, statement=sympy.Le(left, right / 2))
    assert halved.check(gt.activation("sigmoid")).is_true is False
