"""Derivations: every step is checked from its statement alone, and a broken one is caught."""

import dataclasses
import itertools
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy.logic.boolalg import Equivalent

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.chains.chain import Chain
from gradtheory.derivation import FACTS, GENERIC, Check, Step
from gradtheory.derivation.deep import CLASS_N, LOG_CONCAVE, Convex, in_angles
from gradtheory.derivation.digits import InNumbers, Literal, Rounded
from gradtheory.derivation.language import ChainMeasure, Measure, Partial, Slope, SpectralRadius
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import formula, text
from gradtheory.derivation.topics import TOPICS
from gradtheory.derivation.writing import fact_in_words
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import latex
from gradtheory.training.optimisers.catalogue import RULES
from tests.derivation import derivations
from tests.derivation.mutants import mutants
from tests.shapes import BOUNDED_IN_CLASS_N, SHAPES, UNBOUNDED_IN_CLASS_N, slow_except

_SIGMOID = Meaning(gt.activation("sigmoid"))
_X = sympy.Symbol("x", real=True)
_L, _LAYER = sympy.symbols("L l", integer=True, positive=True)


_OF_SIGMA = [topic for topic in TOPICS if topic != "stability"]
_REMEDIES = ("weight_decay", "clipping", "initialisation")  # which ask of σ only whether it and its slope are bounded

# How each step is checked: exact, certified, or numeric. A letter that changes is no error, unless proofs get weaker.
_HOW = {
    ("gradient", "sigmoid"): "EEEEEEEEEEEEEEE",
    ("gradient", "gelu"): "EEEEEEEEEEEEEE",
    ("gradient", "relu6"): "EEEEEEEEEEEEE",
    ("slope_maximum", "sigmoid"): "EECCEEEE",
    ("slope_maximum", "gelu"): "EECCCCEEEEEEC",
    ("slope_maximum", "relu6"): "EEEEEEEEEEE",
    ("explosion", "sigmoid"): "EEEEECCCEEECCC",
    ("explosion", "gelu"): "EEECCCCCCCCCEEEC",
    ("explosion", "relu6"): "EEECCCCC",
    ("widest", "sigmoid"): "EECEECECECECEE",
    ("widest", "gelu"): "EEE",
    ("widest", "relu6"): "EEEEE",
    ("weak_norm", "sigmoid"): "EEEECECECEEEE",
    ("weak_norm", "gelu"): "EEECEEE",
    ("weak_norm", "relu6"): "EEEEECECEEEE",
    ("depth", "sigmoid"): "EEECECEECEECEECCECEEECC",
    ("depth", "softsign"): "EECCECECEEECECENEEECC",
    ("weight_decay", "sigmoid"): "EEEEEEEEEEEEEEEE",
    ("clipping", "sigmoid"): "EEEEEEEEEEEEEE",
    ("initialisation", "sigmoid"): "EEEEEEE",
}


@pytest.mark.sampled(8)
@pytest.mark.quick_for("exponential", "leaky_relu", "quadratic", "selu", "sigmoid", "snake")
@pytest.mark.parametrize("topic", ["gradient", "slope_maximum", "weak_norm"])
def test_every_step_of_every_derivation_is_true(shape, topic):
    _assert_true(topic, shape)


# every way in which a set, or its greatest width, is found
_EXPLODING = (
    *SHAPES,
    "arctan",
    "arsinh",
    "bent_identity",
    "cloglog",
    "gudermannian",
    "isru",
    "relu6",
    "sine",
    "softsign",
)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("which", slow_except(("leaky_relu", "quadratic"), _EXPLODING))
@pytest.mark.parametrize("topic", ["explosion", "widest"])
def test_every_step_of_an_explosion_is_true(topic, which):
    _assert_true(topic, which)


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["explosion", "widest"])
def test_every_way_to_an_explosion_has_a_representative(topic):
    ways = {
        which: tuple(step.rule for step in gt.derive(topic, activation=which).steps) for which in gt.activation_names()
    }
    assert {ways[which] for which in _EXPLODING} == set(ways.values())


def test_every_topic_about_sigma_is_tested():
    assert {"gradient", "slope_maximum", "weak_norm", "explosion", "widest", "depth", *_REMEDIES} == set(_OF_SIGMA)


_IN_CLASS_N = (*BOUNDED_IN_CLASS_N, *UNBOUNDED_IN_CLASS_N)


# of every way in which H is found: even, in z or in an angle; by Möbius maps; by a pair; where σ' is constant; oo
_DEEP = ("arctan", "cloglog", "elu", "erf", "hard_tanh", "isru", "log_sigmoid", "relu", "sigmoid", "softsign")


@pytest.mark.sampled(2)
@pytest.mark.parametrize("which", slow_except(("hard_tanh", "softsign"), _DEEP))
def test_every_step_on_depth_is_true(which):
    _assert_true("depth", which)
    sections = [step.section for step in gt.derive("depth", activation=which).steps]
    assert ("elsewhere" in sections) == gt.depth_bound(which).value.is_finite


@pytest.mark.parametrize("which", [name for name in gt.activation_names() if name not in _IN_CLASS_N])
def test_depth_is_derived_in_class_n_only(which):
    with pytest.raises(InvalidArgument) as raised:
        gt.derive("depth", activation=which)
    assert str(raised.value) == f"activation = {which!r}: must be of class N: {gt.depth_bound(which).reason}"


@pytest.mark.parametrize(
    ("which", "rule"), [("sigmoid", "never_widens"), ("softsign", "widens"), ("cloglog", "widens")]
)
def test_the_derivation_says_whether_depth_widens(which, rule):
    rules = {step.rule: step for step in gt.derive("depth", activation=which).steps}
    assert {"never_widens", "widens"} & set(rules) == {rule}
    assert ("linear_piece" in rules) == (which == "softsign")


@pytest.mark.slow
@pytest.mark.parametrize("which", ["sigmoid", "relu", "quadratic"])  # bounded; of bounded slope; of neither
@pytest.mark.parametrize("topic", _REMEDIES)
def test_every_step_of_the_remedies_is_true(topic, which):
    _assert_true(topic, which)


def _assert_true(topic, activation):
    derivation = gt.derive(topic, activation=activation)
    tally = derivation.check()
    assert tally.ok, tally.reasons
    assert tally.true == len(derivation.steps)
    assert (tally.unknown, tally.false, tally.reasons) == (0, 0, ())
    how = "".join(step.check.name[0] for step in derivation.steps)
    assert how == _HOW.get((topic, activation), how)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "topic"),
    [
        *itertools.product(["z/(1 + z**2)"], [topic for topic in _OF_SIGMA if topic != "depth"]),
        *itertools.product(["1/(1 + exp(-2*z))", "z/(1 + Abs(z))", "-atan(2*z - 1)"], ["depth"]),
        *itertools.product(["tanh(z) + 0.3*tanh(3*z)"], ["gradient", "slope_maximum", "explosion"]),
    ],
)
def test_activations_of_ones_own_are_derived_too(topic, own):
    derivation = gt.derive(topic, activation=gt.expression(own))
    assert derivation.check().ok, derivation.check().reasons
    assert "gt.expression(" in derivation.to_text()


@pytest.mark.sampled(24)
@pytest.mark.parametrize(
    ("write", "topic", "asked"),
    [
        *((derivations.lines, *asked) for asked in derivations.ASKED),
        *((derivations.document, *asked) for asked in derivations.DOCUMENTS),
    ],
)
def test_derivations_say_what_is_written_in_derivations_txt(write, topic, asked):
    assert write(topic, asked) in derivations.PATH.read_text("utf-8").split("\n== ")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("topic", "asked"),
    [
        ("gradient", {"depth": 2, "wrt": "b2", "loss": "cross_entropy", "lang": "zh"}),
        ("gradient", {"depth": _L, "activation": "softsign"}),
        ("gradient", {"depth": 1, "activation": "elu(alpha=2)", "values": {"x": "1/2", "y": 1, "w1": "-0.5", "b1": 2}}),
        ("gradient", {"activation": gt.expression("z/(1 + z**2)"), "wrt": "x"}),
        ("slope_maximum", {"activation": sympy.tanh(Z) + Z}),
        ("initialisation", {"depth": 7, "values": {"sigma_w": "2.5", "c": "3/4"}}),
        ("stability", {"optimiser": "adamw"}),
    ],
)
def test_the_python_at_the_end_makes_the_derivation_again(topic, asked):
    derivation = gt.derive(topic, **asked)
    code = derivation.document.blocks[-1].source
    assert re.match(r"(import sympy\n)?import gradtheory as gt\n\n", code)
    namespace = {}
    exec(code.partition("report = ")[0], namespace)  # our own output, in a test
    again = namespace["derivation"]
    assert (again.topic, again.definitions, again.steps) == (derivation.topic, derivation.definitions, derivation.steps)
    assert (again.lang, again.question.optimiser) == (derivation.lang, derivation.question.optimiser)
    assert again.question.values == {name: str(value) for name, value in derivation.question.values.items()}


_MUTATED = [
    *itertools.product(_OF_SIGMA, ("sigmoid", "softsign")),
    ("slope_maximum", "gelu"),
    ("explosion", "gelu"),
    ("explosion", "hard_tanh"),
    ("explosion", "cloglog"),
    ("widest", "arctan"),
    ("weak_norm", "relu"),
    *itertools.product(["depth"], ("tanh", "cloglog", "isru", "hard_tanh", "relu")),
    *itertools.product(["weight_decay", "clipping", "initialisation"], ("relu", "cloglog")),
    *itertools.product(["stability"], RULES),
]


def _with_values(topic, name):
    values = {
        "gradient": {"x": "0.5", "y": 1, "w1": 2, "b1": "-1/3", "w2": "-1.5", "b2": 0},
        "explosion": {"w": "7", "b": "0.3", "c": 1},
        "initialisation": {"sigma_w": "2.5", "c": "3/4"},
    }.get(topic)
    if topic == "stability":
        return gt.derive(topic, optimiser=name)
    values = values if name in ("sigmoid", "gelu") else None
    depth = 2 if "depth" in TOPICS[topic].used(values is not None) else None
    return gt.derive(topic, depth, name, values=values)


_QUICK = {
    *itertools.product(["clipping", "initialisation", "stability"], ("relu", "cloglog", "adam", "gradient_descent")),
    ("gradient", "sigmoid"),
    ("slope_maximum", "softsign"),
    ("explosion", "hard_tanh"),
    ("widest", "arctan"),
    ("weak_norm", "relu"),
    ("depth", "hard_tanh"),
    ("depth", "softsign"),
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(("topic", "which"), slow_except(_QUICK, _MUTATED))
def test_every_broken_step_is_caught(topic, which):
    derivation = _with_values(topic, which)
    assert derivation.check().ok, derivation.check().reasons
    for place, step in enumerate(derivation.steps):
        broken = list(mutants(step.statement, step.meaning))
        assert broken, step
        for statement in broken:
            other = dataclasses.replace(step, statement=statement)
            assert other.verdict.is_true is not True, (str(step), str(statement))
        steps = (*derivation.steps[:place], other, *derivation.steps[place + 1 :])
        answer = dataclasses.replace(derivation.answer, steps=steps)
        assert not dataclasses.replace(derivation, answer=answer).check().ok


@pytest.mark.sampled(2)
@pytest.mark.parametrize("wrt", ["w1", "b_2", "w3", "b3", "x"])
@pytest.mark.parametrize(
    ("loss", "which"), slow_except({("cross_entropy", "sigmoid")}, [("squared", "gelu"), ("cross_entropy", "sigmoid")])
)
def test_the_gradient_is_the_derivative_of_the_nested_loss(wrt, loss, which):
    derivation = gt.derive("gradient", depth=3, activation=which, wrt=wrt, loss=loss)
    assert derivation.check().ok
    chain = Chain(3, which, loss)
    product = next(step.statement.rhs for step in derivation.steps if step.rule == "product")
    said = product.replace(Slope, lambda z: gt.activation(which).expr.diff(Z).xreplace({Z: z}))
    closed = chain.substitute(sympy.Mul(*said.args) if said.is_Mul else said)
    nested = chain.substitute(chain.forward()[-1].rhs).diff(chain.symbol(wrt))
    symbols = sorted(nested.free_symbols, key=str)
    point = {symbol: enclose(sympy.Rational(3 + 2 * k, 7 + k), 128) for k, symbol in enumerate(symbols)}
    assert abs(enclose(closed, 128, point) - enclose(nested, 128, point)) < 1e-25


def test_a_chain_of_symbolic_depth_is_proven_by_induction():
    derivation = gt.derive("gradient", depth=_L)
    assert derivation.check().ok
    products = [step for step in derivation.steps if step.rule == "product"]
    assert [step.check for step in products] == [Check.EXACT] * 3
    chain = Chain(_L, GENERIC)
    assert products[1].statement.lhs == Partial(chain.C, chain.w[_LAYER])
    assert r"\prod_{k=l + 1}^{L} \left(\sigma'\left(z_{k}\right) w_{k}\right)" in derivation.to_latex()
    for step in derivation.steps:
        for statement in mutants(step.statement, step.meaning):
            assert dataclasses.replace(step, statement=statement).verdict.is_true is not True, statement


@settings(max_examples=25)
@given(
    shape=st.lists(st.integers(1, 5), min_size=4, max_size=4),
    seed=st.integers(0, 1000),
    which=st.sampled_from(["tanh", "gelu", "softsign"]),
)
def test_the_matrix_formulas_agree_with_numpy(shape, seed, which):
    source, record = np.random.default_rng(seed), gt.activation(which)
    weights = [source.normal(size=(rows, columns)) for columns, rows in itertools.pairwise(shape)]
    biases = [source.normal(size=rows) for rows in shape[1:]]
    x, y = source.normal(size=shape[0]), source.normal(size=shape[-1])

    def forward(weights, biases):
        pre, post = [], [x]
        for weight, bias in zip(weights, biases, strict=True):
            pre.append(weight @ post[-1] + bias)
            post.append(record.value(pre[-1]))
        return pre, post

    def loss(weights, biases):
        return ((forward(weights, biases)[1][-1] - y) ** 2).sum() / 2

    pre, post = forward(weights, biases)
    deltas = [None, None, (post[-1] - y) * record.slope(pre[-1])]
    for layer in (1, 0):
        deltas[layer] = (weights[layer + 1].T @ deltas[layer + 1]) * record.slope(pre[layer])
    for layer in range(3):
        gradient = np.outer(deltas[layer], post[layer])
        for row, column in np.ndindex(gradient.shape):
            sides = []
            for step in (1e-5, -1e-5):
                moved = [each.copy() for each in weights]
                moved[layer][row, column] += step
                sides.append(loss(moved, biases))
            assert gradient[row, column] == pytest.approx((sides[0] - sides[1]) / 2e-5, rel=1e-4, abs=1e-6)


@pytest.mark.slow
def test_depth_1000_is_linear_in_size():
    sizes = [len(gt.derive("gradient", depth=depth).to_latex()) for depth in (100, 200, 400)]
    assert 1.8 < (sizes[2] - sizes[1]) / (sizes[1] - sizes[0]) < 2.3


def _read_back(line):
    """Evaluate a printed line of numbers by Python's own grammar: a second reading of signs and parentheses."""
    from mpmath import mp

    names = {name: getattr(mp, name) for name in ("exp", "cosh", "tanh", "asinh", "sqrt", "erf", "log", "pi", "e")}
    python = re.sub(r"\|([^|]*)\|", r"abs(\1)", line).replace("√", "sqrt").replace("²", "**2").replace("π", "pi")
    python = re.sub(r"sqrt(\d+|pi)", r"sqrt(\1)", python.replace("e^(", "exp(").replace("^", "**").replace(" · ", "*"))
    python = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", python)
    return eval(python, {"__builtins__": {}, **names})  # our own output, in a test


@pytest.mark.slow
@settings(max_examples=12)
@given(
    w=st.lists(st.fractions(-3, 3, max_denominator=16), min_size=2, max_size=2),
    b=st.lists(st.fractions(-3, 3, max_denominator=10), min_size=2, max_size=2),
    x=st.decimals(-2, 2, places=3),
    which=st.sampled_from(["sigmoid", "tanh", "gelu"]),
)
def test_lines_in_numbers_say_what_they_mean(w, b, x, which):
    values = {"x": x, "y": 1, "w1": w[0], "w2": w[1], "b1": b[0], "b2": b[1]}
    derivation = gt.derive("gradient", depth=2, activation=which, values=values)
    lines = [step.statement for step in derivation.steps if isinstance(step.statement, InNumbers)]
    assert len(lines) == 7
    for statement in lines:
        _, _, substituted = text(statement).rpartition(" ≈ ")[0].split(" = ", 2)
        assert float(_read_back(substituted)) == pytest.approx(float(statement.result.rhs), rel=1e-6, abs=1e-9)
    _, *rows = formula(lines[-1]).rows
    line = " ".join(right for _, right in rows).removeprefix("= ").partition(r" \approx ")[0]
    line = line.replace(r"\left(", "(").replace(r"\right)", ")").replace(r"\quad {}\cdot", "*").replace(r"\cdot", "*")
    line = re.sub(r"\\frac\{(\d+)\}\{(\d+)\}", r"(\1/\2)", line)
    line = re.sub(r"10\^\{(-?\d+)\}", r"10^(\1)", line)
    assert float(_read_back(line)) == pytest.approx(float(lines[-1].result.rhs), rel=1e-6, abs=1e-9), line
    assert derivation.check().ok
    chain = Chain(2, which)
    expected = chain.backprop(x=float(x), y=1.0, w=[float(each) for each in w], b=[float(each) for each in b]).w[0]
    assert float(lines[-1].result.rhs) == pytest.approx(expected, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(
    ("number", "plain", "in_latex"),
    [
        ("2", "2", "2"),
        ("-2", "(-2)", r"\left(-2\right)"),
        ("0.5", "0.5", "0.5"),
        ("-1/3", "(-1/3)", r"\left(-\frac{1}{3}\right)"),
        ("1/3", "(1/3)", r"\left(\frac{1}{3}\right)"),
        ("0.0000001", "0.0000001", "0.0000001"),
    ],
)
def test_numbers_bring_their_parentheses(number, plain, in_latex):
    place = sympy.Symbol("w_1", real=True)
    literal = Literal(place, sympy.Rational(number))
    assert (text(literal**2), latex(literal**2)) == (f"{plain}²", f"{in_latex}^{{2}}")


_K = gt.widest_explosion("sigmoid").width  # a certified number with a formula in s


@pytest.mark.parametrize(
    ("expr", "in_latex", "plain"),
    [
        (sympy.asinh(_X), r"\operatorname{arsinh}\left(x\right)", "arsinh(x)"),
        (sympy.acosh(_X) ** 2, r"\operatorname{arcosh}^{2}\left(x\right)", "arcosh(x)²"),
        (sympy.atanh(_X), r"\operatorname{artanh}\left(x\right)", "artanh(x)"),
        (sympy.atan(_X), r"\arctan{\left(x \right)}", "arctan(x)"),
        (2 * sympy.log(_X), r"2 \ln x", "2 ln(x)"),
        (_K, r"\frac{s}{\cosh^{2} s}", "s/cosh(s)²"),
        (_K**2, r"\left(\frac{s}{\cosh^{2} s}\right)^{2}", "(s/cosh(s)²)²"),
        (sympy.Le(_X, _K), r"x \le \frac{s}{\cosh^{2} s}", "x ≤ s/cosh(s)²"),
        (2 * _K, r"2 \left(\frac{s}{\cosh^{2} s}\right)", "2 (s/cosh(s)²)"),
        (sympy.And(_X > 0, _X < 1), "0 < x < 1", "0 < x < 1"),
        (sympy.And(_X > 0, _X**2 < 3), r"x > 0 \land x^{2} < 3", "x > 0 ∧ x² < 3"),
        (sympy.Or(_X < 0, _X > 1), r"x > 1 \;\lor\; x < 0", "x > 1 ∨ x < 0"),
        (sympy.Ne(_X, 0), r"x \ne 0", "x ≠ 0"),
        (sympy.Ge(_X, 0), r"x \ge 0", "x ≥ 0"),
        (sympy.Limit(1 / _X, _X, sympy.oo), r"\lim_{x \to \infty} \frac{1}{x}", "lim[x → ∞] 1/x"),
        (sympy.Limit(1 / _X, _X, 0, "-"), r"\lim_{x \to 0^{-}} \frac{1}{x}", "lim[x → 0⁻] 1/x"),
        (sympy.Symbol("q&x"), r"\text{q\&x}", "q&x"),
    ],
)
def test_formulas_are_printed_as_by_hand(expr, in_latex, plain):
    assert (latex(expr), text(expr)) == (in_latex, plain)


def test_a_chain_is_measured_with_its_own_activation():
    of_one_layer = ChainMeasure(sympy.Rational(9, 10), sympy.S.One)
    assert Meaning(gt.activation("hard_tanh")).value(of_one_layer, {}) == 2


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
        (lambda: gt.derive("gradient", values={"x": 1}), "is missing"),
        (lambda: gt.derive("explosion", values={"q": 1}), "values = 'q': must name w, b, c"),
        (lambda: gt.derive("gradient", 6, values={"q": 1}), "values = 'q': must name x, y, w1, w2, w3, w4, …, b5, b6"),
        (
            lambda: gt.derive("gradient", 1, values={"x": 1}),
            "values = 'y': is missing: give all of x, y, w1, b1, or none",
        ),
        (lambda: gt.derive("explosion", values={"w": "__import__('os')", "b": 0, "c": 1}), "values['w']"),
        (
            lambda: gt.derive("explosion", values={"w": 0, "b": 0, "c": 1}),
            "values = 'w = 0': must have a weight that is not 0",
        ),
        (lambda: gt.derive("explosion", values={"w": 1, "b": 0, "c": -1}), "values = 'c = -1': must have a positive"),
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
        (lambda: gt.derive("initialisation", values={"sigma_w": 1}), "is missing"),
        (lambda: gt.derive("initialisation", depth=_L, values={"sigma_w": 1, "c": 1}), "depth = L"),
        (lambda: gt.derive("gradient", activation="nope"), "nope"),
        (lambda: gt.fact("nope"), f"fact = 'nope': must be one of {', '.join(map(repr, FACTS))}"),
        (lambda: gt.fact("depht"), "; the nearest is 'depth'"),
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


@pytest.mark.sampled(2)
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


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", ["two_point", "one_interval"])
@pytest.mark.parametrize("activation", ["gelu", "log_cosh", "quadratic"])
def test_facts_on_class_n_fail_outside_it(which, activation):
    assert not gt.fact(which).applies(gt.activation(activation))
    assert gt.fact(which).check(gt.activation(activation)).is_true is False


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


def _step(statement, *assumptions):
    return Step(statement, "value", _SIGMOID, assumptions)


_PI, _X_UP, _NOWHERE = sympy.pi, (sympy.Gt(_X, 0),), (sympy.Gt(_X, 3), sympy.Lt(_X, 2))
_THIRD = sympy.Tuple(sympy.Tuple(_X, sympy.Rational(1, 3)))
_UNTRIED = "no points were found at which it can be tried"


def _said(function, *sides):
    return function(*map(sympy.sympify, sides), evaluate=False)


@pytest.mark.parametrize(
    ("statement", "assumptions", "is_true", "check", "reason"),
    [
        (_said(sympy.Eq, (_X + 1) ** 2, _X**2 + 2 * _X + 1), (), True, Check.EXACT, ""),
        (_said(sympy.Eq, _X, -_X), (), False, None, "the sides differ at {x: -1/7}"),
        (_said(sympy.Eq, _X, _X + sympy.Rational(1, 10**40)), (), False, None, "the sides differ at {x: -1/7}"),
        (_said(sympy.Eq, _X, _X**2), _NOWHERE, None, None, _UNTRIED),
        (_said(sympy.Eq, _PI, sympy.Rational(22, 7)), (), False, None, "pi is not 22/7"),
        (_said(sympy.Eq, sympy.sqrt(8), 2 * sympy.sqrt(2)), (), True, Check.EXACT, ""),
        (_said(sympy.Gt, _X**2, 0), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, sympy.cosh(_X), 1), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, _X - 1, -1), _X_UP, True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, (_X - sympy.Rational(1, 1000)) ** 2, 0), _X_UP, True, Check.NUMERIC, ""),  # 0 there
        (_said(sympy.Ge, sympy.cosh(_X), 1), (), True, Check.NUMERIC, ""),
        (_said(sympy.Gt, _X**2, -1), _X_UP, False, None, "the bound is not tight"),
        (_said(sympy.Lt, _X, -1), _X_UP, False, None, "it does not hold at {x: 1/7}"),
        (_said(sympy.Gt, _X**2, 0), _NOWHERE, None, None, _UNTRIED),
        (_said(sympy.Gt, _PI, 3), (), True, Check.CERTIFIED, ""),
        (_said(sympy.Gt, _PI, sympy.Rational(22, 7)), (), False, None, ""),
        (Rounded(_PI, sympy.Rational("3.14"), sympy.Integer(2)), (), True, Check.CERTIFIED, ""),
        (Rounded(_PI, sympy.Rational("3.15"), sympy.Integer(2)), (), False, None, "pi does not round to 63/20"),
        (Rounded(sympy.S.Half, sympy.S.One, sympy.S.Zero), (), True, Check.CERTIFIED, ""),
        (Rounded(sympy.oo, sympy.S.One, sympy.S.Zero), (), False, None, "oo is infinite"),
        (
            InNumbers(_X, 2 * _X, _THIRD, sympy.Rational("0.67"), sympy.Integer(2)),
            (),
            True,
            Check.CERTIFIED,
            "",
        ),
        (
            InNumbers(_X, 2 * _X, _THIRD, sympy.Rational("0.66"), sympy.Integer(2)),
            (),
            False,
            None,
            "2*x does not round to 33/50",
        ),
        (_said(Equivalent, _X > 1, 2 * _X > 2), (), True, Check.EXACT, ""),
        (_said(Equivalent, _X > 1, _X**3 > 1), (), True, Check.EXACT, ""),
        (_said(Equivalent, _X > 1, -2 * _X > -2), (), False, None, "the sides differ at {x: "),
        (_said(Equivalent, _X > 1, _X > 2), (), False, None, "the sides differ at {x: "),
        (_said(Equivalent, _X > 1, _X >= 1), (), False, None, "the sides differ at {x: 1}"),
        (
            _said(Equivalent, _X > 1, _X**3 > 1),
            (sympy.Gt(_X, 5),),
            None,
            None,
            "no points were found at which it switches",
        ),
        (sympy.And(_X > 0, _X < 1), (), None, None, "no check is known for (x > 0) & (x < 1)"),
    ],
)
def test_checks(statement, assumptions, is_true, check, reason):
    verdict = _step(statement, *assumptions).verdict
    assert (verdict.is_true, verdict.check, bool(verdict.reason)) == (is_true, check, bool(reason))
    assert verdict.reason.startswith(reason)


def test_a_step_says_how_it_was_checked():
    assert str(_step(_said(sympy.Gt, _PI, 3))) == "π > 3 (certified)"
    assert str(_step(_said(sympy.Eq, _X, -_X))) == "x = -x (false)"


@pytest.mark.parametrize(("coefficients", "radius"), [((-3,), 3), ((1, 3), sympy.sqrt(3)), ((-3, 2), 2), ((2, 1), 1)])
def test_the_spectral_radius_of_an_iteration(coefficients, radius):
    roots = np.roots([1, *coefficients])
    assert SpectralRadius.of(*map(sympy.Integer, coefficients)) == radius
    assert np.abs(roots).max() == pytest.approx(float(radius))


def test_a_periodic_slope_exceeds_a_level_nowhere_or_on_infinite_length():
    sine = Meaning(gt.activation("sine"))
    lengths = [
        sine.value(Measure(level), {}) for level in (sympy.S.Half, sympy.Rational(99, 100), sympy.S.One, sympy.pi)
    ]
    assert lengths == [sympy.oo, sympy.oo, 0, 0]


def test_the_slope_on_a_kink_is_that_of_the_left():
    meaning = Meaning(gt.activation("relu6"))
    assert [meaning.value(Slope(sympy.Integer(place)), {}) for place in (-1, 0, 3, 6, 7)] == [0, 0, 1, 1, 0]


def test_a_step_that_is_no_fact_is_false():
    step = dataclasses.replace(gt.derive("weak_norm").steps[0], fact="scaling")
    assert step.verdict.is_true is False
    assert "not the fact" in step.verdict.reason


def test_numeric_is_said_where_simplification_fails(monkeypatch):
    monkeypatch.setattr(sympy, "simplify", lambda expr: expr)
    statement = sympy.Eq(sympy.cosh(_X) ** 2, 1 + sympy.sinh(_X) ** 2, evaluate=False)
    assert _step(statement).check in (Check.NUMERIC, Check.EXACT)
    hidden = sympy.Eq(sympy.atan(_X) + sympy.atan(1 / _X), sympy.pi / 2, evaluate=False)
    assert _step(hidden, sympy.Gt(_X, 0)).check is Check.NUMERIC


def test_the_generic_activation_has_no_numbers():
    assert sympy.latex(GENERIC.expr) == r"\sigma\left(z\right)"
    assert sympy.latex(GENERIC.slope_expr**2) == r"\sigma'\left(z\right)^{2}"
    with pytest.raises(AssertionError, match="no values"):
        GENERIC.value(1.0)
