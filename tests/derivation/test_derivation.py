"""Derivations: every step is checked from its statement alone, and a broken one is caught."""

import copy
import dataclasses
import itertools
import pickle
import re

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp

import gradtheory as gt
from gradtheory.activations import Z
from gradtheory.arithmetic.enclosure import enclose
from gradtheory.chains.chain import Chain
from gradtheory.derivation import GENERIC, Check
from gradtheory.derivation.digits import InNumbers, Literal
from gradtheory.derivation.language import ChainMeasure, Partial, Slope
from gradtheory.derivation.meaning import Meaning
from gradtheory.derivation.printing import formula, text
from gradtheory.derivation.topics import TOPICS
from gradtheory.errors import InvalidArgument
from gradtheory.formulas import latex
from gradtheory.training.optimisers.catalogue import RULES
from tests.derivation import derivations, how_shown
from tests.derivation.derived import derived
from tests.derivation.mutants import mutants
from tests.shapes import BOUNDED_IN_CLASS_N, SHAPES, UNBOUNDED_IN_CLASS_N, slow_except

_X = sympy.Symbol("x", real=True)
_L, _LAYER = sympy.symbols("L l", integer=True, positive=True)


_OF_SIGMA = [topic for topic in TOPICS if "activation" in TOPICS[topic].arguments]
_REMEDIES = ("weight_decay", "clipping", "initialisation")  # which ask of σ only whether it and its slope are bounded

# How each step is checked: exact, certified, or numeric. A letter that changes is no error, unless proofs get weaker.
_HOW = {
    ("gradient", "sigmoid"): "EEEEEEEEEEEEEEE",
    ("gradient", "gelu"): "EEEEEEEEEEEEEEE",
    ("gradient", "relu6"): "EEEEEEEEEEEEE",
    ("slope_maximum", "sigmoid"): "EEECCEEEE",
    ("slope_maximum", "gelu"): "EEECCCCEEEEEEC",
    ("slope_maximum", "relu6"): "EEEEEEEEEEE",
    ("explosion", "sigmoid"): "EEEECCCEEECCC",
    ("explosion", "gelu"): "EEECCCCCCCEEEEECE",
    ("explosion", "relu6"): "EEECCCCCEEC",
    ("widest", "sigmoid"): "EEECCEECEEECECECEE",
    ("widest", "gelu"): "EEE",
    ("widest", "relu6"): "EEEEE",
    ("weak_norm", "sigmoid"): "EEEECECEECECEEEE",
    ("weak_norm", "gelu"): "EEECEEE",
    ("weak_norm", "relu6"): "EEEEECECEEEE",
    ("depth", "sigmoid"): "EEEECECEECEECEEEEECCCECEEC",
    ("depth", "softsign"): "EEECCECECEEEECCECEEEEC",
    ("weight_decay", "sigmoid"): "EEEEEEEEEEEEEEEEE",
    ("clipping", "sigmoid"): "EEEEEEEEEEEEEE",
    ("initialisation", "sigmoid"): "EEEEEEE",
}


@pytest.mark.sampled(6)
@pytest.mark.quick_for("exponential", "leaky_relu", "quadratic", "selu", "sigmoid", "snake")
@pytest.mark.parametrize("topic", ["gradient", "slope_maximum"])
def test_every_step_of_every_derivation_is_true(shape, topic):
    _assert_true(topic, shape)


@pytest.mark.sampled(1)
@pytest.mark.parametrize("which", slow_except({"exponential", "leaky_relu", "selu"}, [*SHAPES, "relu6", "softsign"]))
def test_every_step_on_weak_norms_is_true(which):
    _assert_true("weak_norm", which)


# one activation for every way in which a set, or its greatest width, is found
_WAYS = {
    "explosion": (
        *("arctan", "bent_identity", "cloglog", "elu", "exponential", "gaussian", "gelu"),
        *(
            "gudermannian",
            "hard_swish",
            "hard_tanh",
            "hardshrink",
            "identity",
            "leaky_relu",
            "log_cosh",
            "mish",
            "quadratic",
            "relu",
            "relu6",
            "selu",
            "sigmoid",
            "sine",
        ),
        *("snake", "tanh"),
    ),
    "widest": (
        "arctan",
        "arsinh",
        "cloglog",
        "gaussian",
        "gelu",
        "isru",
        "quadratic",
        "relu6",
        "sigmoid",
        "sine",
        "softsign",
    ),
}


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("topic", "which"),
    slow_except(
        {(topic, "quadratic") for topic in _WAYS}, [(topic, which) for topic in _WAYS for which in _WAYS[topic]]
    ),
)
def test_every_step_of_an_explosion_is_true(topic, which):
    _assert_true(topic, which)


@pytest.mark.slow
@pytest.mark.parametrize("topic", _WAYS)
def test_every_way_to_an_explosion_has_a_representative(topic):
    ways = {
        which: tuple(step.rule for step in derived(topic, activation=which).steps) for which in gt.activation_names()
    }
    assert {ways[which] for which in _WAYS[topic]} == set(ways.values())


def test_every_topic_about_sigma_is_tested():
    assert {"gradient", "slope_maximum", "weak_norm", "explosion", "widest", "depth", "recurrent", *_REMEDIES} == set(
        _OF_SIGMA
    )


_IN_CLASS_N = (*BOUNDED_IN_CLASS_N, *UNBOUNDED_IN_CLASS_N)


# of every way in which H is found: even, in z or in an angle; by Möbius maps; by a pair; where σ' is constant; oo
_DEEP = ("arctan", "cloglog", "elu", "erf", "hard_tanh", "isru", "log_sigmoid", "relu", "sigmoid", "softsign")


@pytest.mark.slow
@pytest.mark.parametrize("which", _DEEP)
def test_every_step_on_depth_is_true(which):
    _assert_true("depth", which)
    sections = [step.section for step in derived("depth", activation=which).steps]
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
    derivation = derived(topic, activation=activation)
    tally = derivation.check()
    assert tally.ok, tally.reasons
    assert tally.true == len(derivation.steps)
    assert (tally.unknown, tally.false, tally.reasons) == (0, 0, ())
    how = "".join(step.check.name[0] for step in derivation.steps)
    assert how == _HOW.get((topic, activation), how)
    numeric = [step for step in derivation.steps if step.verdict.status == "numeric"]
    assert len(numeric) <= (4 if (topic, activation) == ("widest", "gaussian") else 3)  # its p has no inverse
    list(map(how_shown.assert_said, numeric))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("own", "topic"),
    [
        *itertools.product(["z/(1 + z**2)"], [topic for topic in _OF_SIGMA if topic != "depth"]),
        *itertools.product(["-atan(2*z - 1)"], ["depth"]),
        *itertools.product(["tanh(z) + 0.3*tanh(3*z)"], ["gradient", "slope_maximum", "explosion"]),
    ],
)
def test_activations_of_ones_own_are_derived_too(topic, own):
    derivation = gt.derive(topic, activation=gt.expression(own))
    assert derivation.check().ok, derivation.check().reasons
    assert "gt.expression(" in derivation.to_text()


@pytest.mark.sampled(8)
@pytest.mark.parametrize(
    ("write", "topic", "asked"),
    [
        *((derivations.lines, *asked) for asked in derivations.ASKED),
        *(
            pytest.param(derivations.document, *asked, marks=[pytest.mark.slow] * (asked[0] == "depth"))
            for asked in derivations.DOCUMENTS
        ),
    ],
)
def test_derivations_say_what_is_written_in_derivations_txt(write, topic, asked):
    assert write(topic, asked) in derivations.PATH.read_text("utf-8").split("\n== ")


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("topic", "asked"),
    [
        ("gradient", {"depth": 2, "wrt": "b2", "loss": "cross_entropy", "lang": "zh"}),
        ("gradient", {"depth": _L, "activation": "softsign"}),
        ("gradient", {"depth": 1, "activation": "elu(alpha=2)", "values": {"x": "1/2", "y": 1, "w1": "-0.5", "b1": 2}}),
        ("gradient", {"activation": gt.expression("z/(1 + z**2)"), "wrt": "x"}),
        ("slope_maximum", {"activation": sympy.tanh(Z) + Z}),
        ("slope_maximum", {"activation": sum(sympy.tanh(Z + shift) for shift in range(6))}),
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
    *itertools.product([topic for topic in _OF_SIGMA if topic != "weight_decay"], ("sigmoid", "softsign")),
    ("weight_decay", "softsign"),
    ("slope_maximum", "gelu"),
    ("explosion", "gelu"),
    ("explosion", "hard_tanh"),
    ("explosion", "cloglog"),
    ("widest", "arctan"),
    ("weak_norm", "relu"),
    *itertools.product(["depth"], ("cloglog", "isru", "hard_tanh", "relu")),
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
        return derived(topic, optimiser=name)
    values = values if name in ("sigmoid", "gelu") else None
    depth = 2 if "depth" in TOPICS[topic].used(values is not None) else None
    asked = {"depth": depth, "values": values}
    return derived(topic, activation=name, **{key: value for key, value in asked.items() if value is not None})


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


@pytest.mark.sampled(1)
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


@pytest.mark.slow
@pytest.mark.parametrize("wrt", ["w1", "b_2", "w3", "b3", "x"])
@pytest.mark.parametrize(("loss", "which"), [("squared", "gelu"), ("cross_entropy", "sigmoid")])
def test_the_gradient_is_the_derivative_of_the_nested_loss(wrt, loss, which):
    derivation = gt.derive("gradient", depth=3, activation=which, wrt=wrt, loss=loss)
    assert derivation.check().ok
    chain = Chain(3, which, loss)
    product = next(step.statement.rhs for step in derivation.steps if step.rule in ("product", "product_at_output"))
    said = product.replace(Slope, lambda z: gt.activation(which).expr.diff(Z).xreplace({Z: z}))
    closed = chain.substitute(sympy.Mul(*said.args) if said.is_Mul else said)
    nested = chain.substitute(chain.forward()[-1].rhs).diff(chain.symbol(wrt))
    symbols = sorted(nested.free_symbols, key=str)
    point = {symbol: enclose(sympy.Rational(3 + 2 * k, 7 + k), 128) for k, symbol in enumerate(symbols)}
    assert abs(enclose(closed, 128, point) - enclose(nested, 128, point)) < 1e-25


@pytest.mark.slow
def test_a_chain_of_symbolic_depth_is_proven_by_induction():
    derivation = gt.derive("gradient", depth=_L)
    assert derivation.check().ok
    products = [step for step in derivation.steps if step.rule.startswith("product")]
    assert [step.check for step in products] == [Check.EXACT] * 3
    chain = Chain(_L, GENERIC)
    assert [step.statement.lhs for step in products[1:]] == [
        Partial(chain.C, letter[_LAYER]) for letter in (chain.b, chain.w)
    ]
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
    names = {name: getattr(mp, name) for name in ("exp", "cosh", "tanh", "asinh", "sqrt", "erf", "log", "pi", "e")}
    python = re.sub(r"\|([^|]*)\|", r"abs(\1)", line).replace("√", "sqrt").replace("²", "**2").replace("π", "pi")
    python = re.sub(r"sqrt(\d+|pi)", r"sqrt(\1)", python.replace("e^(", "exp(").replace("^", "**").replace(" · ", "*"))
    python = re.sub(r"(?<=[\w)]) (?=[\w(])", "*", python)
    return eval(python, {"__builtins__": {}, **names})  # our own output, in a test


@pytest.mark.slow
@settings(max_examples=6)
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
        substituted = text(statement).replace(" ≈ ", " = ").split(" = ")[2]  # or the result, where that is the same
        with mp.workdps(30):
            off = abs(_read_back(substituted) - mp.mpf(statement.result.rhs.p) / statement.result.rhs.q)
        assert off <= float(statement.result.half_unit) * 1.001, substituted  # who calculates gets these digits
    _, *rows = formula(lines[-1]).rows
    shown = [right for _, right in rows]
    line = " ".join(shown[:-1] or shown).removeprefix("= ").removeprefix(r"\approx ")
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
        (sympy.atan(_X), r"\arctan\left(x \right)", "arctan(x)"),
        (2 * sympy.log(_X), r"2 \ln x", "2 ln(x)"),
        (_K, r"\frac{s_{*}}{\cosh^{2} s_{*}}", "s∗/cosh(s∗)²"),
        (_K**2, r"\left(\frac{s_{*}}{\cosh^{2} s_{*}}\right)^{2}", "(s∗/cosh(s∗)²)²"),
        (sympy.Le(_X, _K), r"x \le \frac{s_{*}}{\cosh^{2} s_{*}}", "x ≤ s∗/cosh(s∗)²"),
        (2 * _K, r"2 \left(\frac{s_{*}}{\cosh^{2} s_{*}}\right)", "2 (s∗/cosh(s∗)²)"),
        (sympy.And(_X > 0, _X < 1), "0 < x < 1", "0 < x < 1"),
        (sympy.And(_X > 0, _X**2 < 3), r"x > 0 \;\land\; x^{2} < 3", "x > 0 ∧ x² < 3"),
        (sympy.Or(_X < 0, _X > 1), r"x < 0 \;\lor\; x > 1", "x < 0 ∨ x > 1"),
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


@pytest.mark.parametrize(
    ("topic", "written"),
    [
        ("explosion", "sigmoid(z/100)"),  # where sizes of 1 meet no condition
        ("explosion", "tanh(z - 50)"),  # and places near 0
        ("weak_norm", "tanh(1000*z)"),
        ("explosion", "2*z + cos(z)"),  # steeper than some level in all of its period
        ("widest", "Abs(sin(z))"),  # a fact that is numeric here
    ],
)
def test_no_step_is_left_unknown_at_other_scales_and_places(topic, written):
    derivation = gt.derive(topic, activation=gt.expression(written))
    assert {str(step.verdict.status) for step in derivation.steps} <= {"exact", "certified", "numeric"}
    assert str(derivation)


@pytest.mark.parametrize(
    ("topic", "which"), [("explosion", "gelu"), ("gradient", "tanh"), ("depth", "celu"), ("attention", None)]
)
def test_a_copy_says_the_same(topic, which):
    """SymPy evaluates what it unpickles: |X| = ∞ would be False, an equation True."""
    derivation = gt.derive(topic) if which is None else gt.derive(topic, activation=which)
    for again in (pickle.loads(pickle.dumps(derivation)), copy.copy(derivation), copy.deepcopy(derivation)):
        assert again == derivation
        assert again.to_text() == derivation.to_text()
    assert copy.deepcopy(derivation.steps[-1]) == copy.copy(derivation.steps[-1]) == derivation.steps[-1]
    with pytest.raises(TypeError, match="pickle its derivation"):
        pickle.dumps(derivation.steps[-1])


def test_a_set_is_said_to_be_unbounded_only_from_the_limit_of_the_slope_on():
    assert gt.explosion_width("gelu", w=0.95).is_finite  # beyond the critical weight, .886
    assert "exceeds the critical weight the set is unbounded" not in str(gt.derive("widest", activation="gelu"))


@pytest.mark.parametrize(("activation", "is_attained"), [("hard_tanh", False), ("tanh", True)])
def test_a_weight_at_which_the_width_is_only_approached_is_not_that_of_the_greatest(activation, is_attained):
    assert gt.widest_explosion(activation).is_attained is is_attained
    written = " ".join(str(gt.derive("widest", activation=activation)).split())
    assert ("the weight of the greatest width, for the threshold 1" in written) is is_attained
    assert ("falls to this weight; at it the set is narrower" in written) is not is_attained
