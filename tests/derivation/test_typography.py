"""What derivations look like: no double signs, no divisions by 1, no terms of 0, no Python, no digits of roots in formulas."""

import re

import pytest
import sympy
from sympy.core.cache import clear_cache

import gradtheory as gt
from gradtheory.derivation import Step
from gradtheory.derivation.checks.verdict import EXACT
from gradtheory.derivation.digits import Rounded
from gradtheory.derivation.printing import _in_lines, formula
from gradtheory.derivation.topics import TOPICS
from gradtheory.document.formats import to_markdown, to_text
from gradtheory.document.messages import LANGUAGES, words
from gradtheory.document.model import Formula
from gradtheory.formulas import latex
from gradtheory.training.optimisers.catalogue import RULES
from tests.derivation.derived import derived
from tests.shapes import SHAPES

_ROOT = "a root by its digits in an exponent"
_FAULTS = {
    "a division by 1": r"/ ?1(?![\d.…e/(])|\\frac\{[^{}]*\}\{1\}",
    "a term of 0": r"[-−+]\s*0(?![.\d])|\\frac\{-?\s*0\}",
    "two numbers side by side": r"(?<![\d.^_{(\w])\d+ \d",
    "two signs": r"[-−+]\s*[-−+]|[-−+]\s*\\left\(-(?!\d+\.\d+\\ldots)",
    _ROOT: r"\^\{?[^{}\s]*\d\.0*[1-9]\d{8,}|e\^\([^()]*\d\.0*[1-9]\d{8,}",
    "a long number": r"(?<![.\d])\d{20}",
    "Python": r"\*\*|\bsqrt\(|\bexp\(|\boo\b|Piecewise|LambertW\.|\bAbs\(|\bMax\(",
    "English in a formula": r"\\text\{(?!\\|T\})",  # but for the T of a transpose
    "a fraction of fractions": r"\\frac\{\\frac|\\frac\{[^{}]*\}\{\\frac|\\frac\{c\}\{\\frac",
}
_NUMBERS = (
    ("gradient", {"depth": 2, "values": {"x": "0.5", "y": 1, "w1": 7, "b1": "-1/3", "w2": "-1.5", "b2": 0}}),
    ("explosion", {"values": {"w": 7, "b": 0, "c": 1}}),
    ("explosion", {"values": {"w": -17, "b": "-1/3", "c": 3}}),
    ("initialisation", {"depth": 5, "values": {"sigma_w": "2.5", "c": "3/4"}}),
)


def _asked(which):
    for topic in TOPICS:
        if not TOPICS[topic].arguments:
            yield topic, {}
        elif topic != "stability" and (topic != "depth" or gt.depth_bound(which).is_in_class_n):
            yield topic, {"activation": which}
    yield "gradient", {"activation": which, "depth": 2, "wrt": "all"}
    for topic, more in _NUMBERS:
        yield topic, {"activation": which, **more}


def _formulas(derivation):
    """Return the formulas of a derivation as LaTeX and as text."""
    for block in derivation.document.blocks:
        if isinstance(block, Formula):
            yield from (f"{left} {right}" for left, right in block.rows)
            yield block.condition
            yield from block.plain().split("\n")


def _faults(asked):
    for topic, more in asked:
        for line in _formulas(derived(topic, **more)):
            for fault, pattern in _FAULTS.items():
                is_put_in = topic == "gradient" and fault == _ROOT  # a pre-activation; gradients have no roots
                if not is_put_in and re.search(pattern, line):
                    yield fault, topic, line


@pytest.fixture
def _unchecked(monkeypatch):
    """Steps are taken as shown: how they look does not depend on it."""
    monkeypatch.setattr(Step, "verdict", property(lambda self: EXACT))


@pytest.mark.slow
@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("which", [*SHAPES, "cloglog", "gelu_tanh", "softsign", "tanh"])
def test_formulas_look_as_they_are_written_by_hand(which):
    assert not list(_faults(_asked(which)))


@pytest.mark.usefixtures("_unchecked")
@pytest.mark.parametrize("optimiser", RULES)
def test_formulas_of_optimisers_too(optimiser):
    assert not list(_faults([("stability", {"optimiser": optimiser})]))


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("topic", ["slope_maximum", "stability", "clipping"])
def test_badges_are_explained_before_the_first_of_them(topic, lang):
    document = derived(topic, lang=lang).document
    for written in (to_text(document), to_markdown(document)):
        start = written.index(document.blocks[0].text)
        for badge in words(lang)["checks"].values():
            if badge in written[start:] and badge in ("exact", "certified", "numeric", "精确", "严格验证", "数值"):
                assert badge.capitalize() in written[:start], badge


@pytest.mark.slow
@pytest.mark.parametrize("topic", ["depth", "residual", "layer_norm", "batch_norm", "dropout", "recurrent"])
def test_formulas_do_not_depend_on_what_sympy_has_in_its_cache(topic):
    asked = {"activation": "softsign"} if topic == "depth" else {}
    before = gt.derive(topic, **asked)
    printed = before.to_latex()
    clear_cache()
    for step in before.steps:
        for statement in (step.statement, *step.assumptions):
            _plain(statement)
    assert gt.derive(topic, **asked).to_latex() == printed


def _plain(expr):
    """Make an expression as a user of SymPy would, whose sums and products are in SymPy's order."""
    arguments = [_plain(part) for part in expr.args if isinstance(part, sympy.Basic)]
    if not arguments or not isinstance(expr, sympy.Expr):
        return expr
    return expr.func(*arguments)


@pytest.mark.parametrize(
    ("number", "written", "in_latex"),
    [
        ("0.0000633", "6.33 × 10^(-5)", r"6.33 \times 10^{-5}"),
        ("-0.0000003", "-3 × 10^(-7)", r"-3 \times 10^{-7}"),
        ("0.000454", "0.000454", "0.000454"),
        ("124", "124", "124"),
    ],
)
def test_digits_behind_many_zeros_stand_before_a_power_of_ten(number, written, in_latex):
    statement = Rounded.of(sympy.Symbol("P"), sympy.Rational(number), 3)
    assert str(statement) == f"P ≈ {written}"
    assert latex(statement) == rf"P \approx {in_latex}"


@pytest.mark.parametrize("which", ["gaussian", "cosine", "snake"])
def test_long_answers_stand_in_rows(which):
    """Each alternative stands in a row of its own, else it would leave the page."""
    document = gt.derive("explosion", activation=which).document
    rows = [row for block in document.blocks if isinstance(block, Formula) for row in block.rows]
    ends = [right for _, right in rows if right.count("< x <")]
    assert ends
    assert all(right.count("< x <") == 1 and r"\iff" not in right for right in ends)


def test_long_sums_stand_in_rows():
    z = sympy.Symbol("z", real=True)
    terms = [sympy.cosh(z) ** power / (1 + sympy.exp(power * z)) for power in range(1, 17)]
    shown = formula(sympy.Eq(sympy.Function("f")(z), sympy.Add(*terms), evaluate=False))
    assert len(shown.rows) > 2
    assert [(left, right[0]) for left, right in shown.rows if left] == [(r"f\left(z \right)", "=")]
    assert sum(right.count(r"\cosh") for _, right in shown.rows) == len(terms)
    assert all(right.count("{") == right.count("}") for _, right in shown.rows)


@pytest.mark.parametrize("which", ["gelu_tanh", "mish"])
def test_long_sums_of_numbers_stand_in_rows(which):
    values = {"x": "0.7", "y": "0.2", "w1": "1.3", "b1": "-0.4", "w2": "0.9", "b2": "0.1"}
    document = gt.derive("gradient", activation=which, depth=2, values=values).document
    rows = [row for block in document.blocks if isinstance(block, Formula) for row in block.rows]
    assert any(right.startswith(r"\quad +") or right.startswith(r"\quad -") for _, right in rows)


def test_no_part_of_a_sum_is_lost_where_brackets_do_not_match():
    assert _in_lines(r"a + \left. b - c", 3) == [r"a + \left. b - c"]
