"""How formulas are written: the order of factors and terms, roots and letters, and what SymPy takes them for."""

import itertools
import pickle

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.formulas import LatexWriter, TextWriter, WrittenProduct, WrittenSum, latex, text
from gradtheory.formulas.spelling import Spelling, cases
from gradtheory.formulas.text import subscripted

_W, _X, _B, _A, _Y, _C, _T = sympy.symbols("w x b a_4 y c t", real=True)


@pytest.mark.parametrize(
    ("expr", "in_latex", "plain"),
    [
        (_W * _X + _B, "w x + b", "w x + b"),
        (_A - _Y, "a_{4} - y", "a₄ - y"),
        (sympy.Symbol("b_2") + sympy.Symbol("w_2") * sympy.Symbol("a_1"), "w_{2} a_{1} + b_{2}", "w₂ a₁ + b₂"),
        (1 / _T - 4, r"\frac{1}{t} - 4", "1/t - 4"),
        (1 + sympy.exp(-_X), "1 + e^{- x}", "1 + e^(-x)"),
        (1 + sympy.Symbol("beta"), r"1 + \beta", "1 + β"),
        (_X + 1, "x + 1", "x + 1"),
        (_X * sympy.tanh(_X) / sympy.cosh(_X) ** 2, r"\frac{x \tanh x}{\cosh^{2} x}", "x tanh(x)/cosh(x)²"),
        (sympy.Derivative(_X * _T, _X), r"\frac{\partial}{\partial x} \left(t x\right)", "∂/∂x (t x)"),
        (sympy.log(99), r"\ln 99", "ln(99)"),
        (sympy.log(-_X), r"\ln\left(- x\right)", "ln(-x)"),
        (_C / abs(_W), r"\frac{c}{\left|{w}\right|}", "c/|w|"),
        (sympy.sin(_C / _T) / _B, r"\frac{\sin\left(c / t \right)}{b}", "sin(c/t)/b"),
        (sympy.sqrt(2) * _X / 2, r"\frac{x}{\sqrt{2}}", "x/√2"),
        (_X * sympy.exp(-1) / sympy.sqrt(sympy.pi), r"\frac{x}{e \sqrt{\pi}}", "x/(e √π)"),
        (
            sympy.exp(-2) / (sympy.sqrt(sympy.pi) * sympy.erf(sympy.sqrt(2))),
            r"\frac{1}{e^{2} \sqrt{\pi} \operatorname{erf}\left(\sqrt{2} \right)}",
            "1/(e^2 √π erf(√2))",
        ),
        ((1 - _X**2) * (1 - _X), r"\left(1 - x\right) \left(1 - x^{2}\right)", "(1 - x) (1 - x²)"),
        ((1 - _X**2) * (1 + _X), r"\left(x + 1\right) \left(1 - x^{2}\right)", "(x + 1) (1 - x²)"),
        (sympy.Product(sympy.sin(_X), (_X, 1, _T)), r"\prod_{x=1}^{t} \sin x", "∏[x = 1 … t] sin(x)"),
        ((1 - _X) * sympy.sin(_X), r"\sin\left(x\right) \left(1 - x\right)", "sin(x) (1 - x)"),
        ((1 - _X) * sympy.exp(sympy.sin(_X)), r"e^{\sin x} \left(1 - x\right)", "e^(sin(x)) (1 - x)"),
        ((1 + _X) * sympy.sqrt(sympy.cosh(_X)), r"\sqrt{\cosh x} \left(x + 1\right)", "√(cosh(x)) (x + 1)"),
        (-_X / 2, r"- \frac{x}{2}", "-x/2"),
        (_X ** sympy.Rational(3, 2), r"x^{3 / 2}", "x^(3/2)"),
        (-2 * _X * _Y**2, "- 2 x y^{2}", "-2 x y²"),
        (sympy.Symbol("eta") * sympy.Symbol("beta_1"), r"\beta_{1} \eta", "β₁ η"),
    ],
)
def test_formulas_are_in_the_order_of_textbooks(expr, in_latex, plain):
    assert (latex(expr), text(expr)) == (in_latex, plain)


@pytest.mark.parametrize("depth", [2, 4, 7])
@pytest.mark.parametrize("activation", ["sigmoid", "gelu", "relu", "silu"])
def test_gradients_are_printed_from_the_loss_back(depth, activation):
    chain = gt.Chain(depth, activation)
    gradient = chain.gradient(chain.w[1])
    for printed, mark in (
        (str(gradient), "{}_{}"),
        (sympy.latex(gradient), "{}_{{{}}}"),
        (latex(gradient), "{}_{{{}}}"),
    ):
        names = [mark.format(letter, layer) for layer in range(depth, 1, -1) for letter in "zw"]
        places = [printed.index(name) for name in (*names, mark.format("z", 1))]
        assert places == sorted(places)
        assert printed.index(mark.format("a", depth)) < places[0]
        assert printed.rindex("x") > places[-1]


def test_written_products_are_sympys_own():
    product, plain = WrittenProduct(WrittenSum(_A, -_Y), (_W, _X)), (_A - _Y) * _W * _X
    assert product == plain
    assert plain == product
    assert hash(product) == hash(plain)
    assert {plain: 1}[product] == 1
    assert product.func(*product.args) == plain
    assert product.subs(_X, 2) == plain.subs(_X, 2)
    assert product.diff(_W) == plain.diff(_W)
    assert sympy.simplify(product - plain) == 0
    assert str(product) == "(a_4 - y) * w*x"
    assert str(product.xreplace({_X: _B})) == "(a_4 - y) * w*b"
    assert str(pickle.loads(pickle.dumps(product))) == str(product)
    piecewise = sympy.Piecewise((1, _X > 0), (_X, True))  # which SymPy sorts between Add and any other class
    assert WrittenSum(_A, -_Y) * piecewise * _W == (_A - _Y) * piecewise * _W
    assert WrittenProduct(_X, sympy.S.Zero) == 0
    assert WrittenProduct(_X) == _X
    assert not isinstance(WrittenProduct(_X), WrittenProduct)


def test_a_chain_of_any_depth_is_written_in_order():
    depth, layer = sympy.symbols("L l", integer=True, positive=True)
    chain = gt.Chain(depth)
    assert str(chain.gradient(chain.w[layer])).startswith("(a_L - y) * Product(")
    for row in chain.forward():
        assert "- y + a" not in latex(row)
        assert not latex(row.rhs).startswith("b")


def test_own_letters_and_names():
    root = gt.activation("silu").profile.branches[0].right
    spelling = Spelling({root: sympy.Symbol("z_1")}, {"w": "theta"})
    product = sympy.Symbol("w_1") * sympy.exp(-root)
    assert LatexWriter(spelling).doprint(product) == r"\theta_{1} e^{- z_{1}}"
    assert TextWriter(spelling).doprint(product) == "θ₁ e^(-z₁)"
    assert spelling.prose("w is $w_1 + \\omega$, $w$") == "w is $\\theta _1 + \\omega$, $\\theta $"
    assert "--" not in latex(sympy.exp(-root)).replace(" ", "")


@pytest.mark.slow
def test_letters_of_derivations():
    derivation = gt.derive("gradient", depth=2, wrt="all", letters={"w": "theta", "x": "u"} | {"x": "h"})
    assert "w_" not in derivation.to_latex().partition("Layers of several neurons")[0]
    assert r"\theta_{2}" in derivation.to_latex()
    assert "θ₂" in derivation.to_text()
    assert "letters={'w': 'theta', 'x': 'h'}" in derivation.to_text()
    assert derivation.check().ok


@pytest.mark.parametrize(
    ("letters", "named"),
    [
        ({"w": "y"}, "letters['w'] = 'y'"),
        ({"w": "a"}, "letters['w'] = 'a'"),
        ({"w": "u", "b": "u"}, "letters['w'] = 'u'"),
        ({"w": "two words"}, "letters['w'] = 'two words'"),
        ({"w": 3}, "letters['w'] = 3"),
        ({"q": "r"}, "letters = 'q'"),
        ("w", "letters = 'w'"),
    ],
)
def test_letters_that_mean_something_are_refused(letters, named):
    with pytest.raises(gt.errors.InvalidArgument) as refusal:
        gt.derive("gradient", letters=letters)
    assert str(refusal.value).startswith(named)


@pytest.mark.slow
def test_all_parameters_in_one_derivation():
    derivation = gt.derive("gradient", depth=3, wrt="all")
    said = derivation.to_text()
    for letter, layer in itertools.product("wb", "₁₂₃"):
        assert f"∂C/∂{letter}{layer} = " in said
    assert "∂C/∂w₁ = (a₃ - y) · σ'(z₃) w₃ · σ'(z₂) w₂ · σ'(z₁) x" in said
    assert "∂a₃/∂a₂" not in said  # no later step takes it
    assert "∂C/∂w₁ = (a₃ - y) · σ(z₃) (1 - σ(z₃)) w₃ · σ(z₂) (1 - σ(z₂)) w₂ · σ(z₁) (1 - σ(z₁)) x" in said
    assert derivation.check().ok


@pytest.mark.parametrize("depth", [2, sympy.Symbol("L", integer=True, positive=True)])
def test_an_array_is_no_parameter(depth):
    with pytest.raises(gt.errors.InvalidArgument, match="wrt"):
        gt.derive("gradient", depth=depth, wrt=np.zeros(3))


def test_names_in_unicode():
    assert [subscripted(name) for name in ("w_12", "delta_3", "sigma_w", "lamda", "s2")] == [
        "w₁₂",
        "δ₃",
        "σ_w",
        "λ",
        "s₂",
    ]


@pytest.mark.parametrize(
    ("topic", "letters"),
    [
        ("stability", {"w": "eta"}),
        ("stability", {"w": "h"}),
        ("weight_decay", {"b": "lambda"}),
        ("clipping", {"w": "rho"}),
    ],
)
def test_letters_that_a_derivation_uses_are_refused(topic, letters):
    with pytest.raises(gt.errors.InvalidArgument, match="stands for something else already"):
        gt.derive(topic, letters=letters)
    assert gt.derive(topic, letters={"w": "theta"}).steps


@pytest.mark.parametrize(
    ("conditions", "otherwise"),
    [
        (((_X > -1) & (_X < 1),), "x ≤ -1 ∨ x ≥ 1"),
        ((_X < 0, _X < 1), "x ≥ 1"),
        ((_X < 0, _X > 2), "0 ≤ x ≤ 2"),
        ((_X - sympy.exp(_X) > 0,), "x - e^x ≤ 0"),
    ],
    ids=str,
)
def test_what_holds_otherwise_is_written_out(conditions, otherwise):
    function = sympy.Piecewise(*((number, one) for number, one in enumerate(conditions)), (9, True))
    value, condition = cases(function)[-1]
    assert (value, text(condition)) == (9, otherwise)
    places = [sympy.Rational(number, 4) for number in range(-12, 13)]
    assert all(condition.subs(_X, x) == sympy.Not(sympy.Or(*(one.subs(_X, x) for one in conditions))) for x in places)


def test_cases_are_text_of_no_language():
    assert text(sympy.Piecewise((1, _X > 0), (_X, True))) == "{1, x > 0; x, x ≤ 0}"


def test_what_never_holds_is_not_written_out():
    assert len(cases(sympy.Piecewise((0, _X <= 0), (1, _X >= 0), (9, True)))) == 2


def test_a_function_before_a_stroke_has_brackets():
    z = sympy.Symbol("z", real=True)
    assert latex(sympy.exp(-sympy.cosh(z) / 2)) == r"e^{- \cosh\left(z\right) / 2}"
    assert latex(sympy.exp(z * sympy.log(2) / 3)) == r"e^{z \ln\left(2\right) / 3}"
    assert latex(sympy.exp(-z / (2 * sympy.sinh(z)))) == r"e^{- z / \left(2 \sinh z\right)}"
