"""Lines in numbers: each is computed from the numbers themselves; from what is written for them come the same digits."""

from types import SimpleNamespace

import pytest
import sympy

import gradtheory as gt
from gradtheory.derivation.checks.numbers import check_in_numbers
from gradtheory.derivation.digits import InNumbers, Rounded
from gradtheory.derivation.printing import text
from gradtheory.errors import Undecided


def lines(**question):
    return [step.statement for step in gt.derive("gradient", **question).steps if isinstance(step.statement, InNumbers)]


def test_roundings_do_not_add_up():
    """∂C/∂w₁ is exactly -1/6; from 0.66666667 in place of 2/3 it would round to -0.16666666."""
    values = {"w1": 2, "x": "1/2", "b1": "-1/3", "y": 1}
    last = lines(activation="hard_tanh", depth=1, wrt="w1", values=values)[-1]
    assert str(last.result).endswith("≈ -0.16666667")


def test_an_output_that_nearly_is_its_target_keeps_its_digits():
    """S(1) - y is 6.3e-10, of which the eight digits of S(1) know nothing."""
    values = {"w1": 1, "x": 1, "b1": 0, "y": "0.731058578"}
    last = lines(activation="sigmoid", depth=1, wrt="b1", values=values)[-1]
    right = (sympy.Rational("0.731058578") - 1 / (1 + sympy.exp(-1))) * -sympy.exp(-1) / (1 + sympy.exp(-1)) ** 2
    assert abs(last.result.rhs / right.n(30) - 1) < 1e-7


@pytest.mark.parametrize(("thousandths", "is_right"), [(333, True), (334, False)])
def test_a_number_that_is_written_wrong_is_seen(thousandths, is_right):
    a, b = sympy.symbols("a b")
    written = {a: Rounded(a, sympy.Rational(thousandths, 1000), sympy.Integer(3))}
    statement = InNumbers.of(b, 3 * a, {a: sympy.Rational(1, 3)}, sympy.Integer(1), 8, written)
    meaning = SimpleNamespace(value=lambda expr, numbers: expr.xreplace(numbers))
    assert check_in_numbers(statement, SimpleNamespace(meaning=meaning)).is_true is is_right


def test_too_few_digits_for_a_result_are_seen():
    a, b = sympy.symbols("a b")
    written = {a: Rounded(a, sympy.Rational(333, 1000), sympy.Integer(3))}
    statement = InNumbers.of(b, a * a, {a: sympy.Rational(1, 3)}, sympy.Rational(1, 9), 8, written)
    meaning = SimpleNamespace(value=lambda expr, numbers: expr.xreplace(numbers))
    verdict = check_in_numbers(statement, SimpleNamespace(meaning=meaning))
    assert (verdict.is_true, verdict.reason) == (False, "a**2 does not round to 11111111/100000000")


def test_what_is_rounded_is_put_in_with_more_digits_and_is_only_near():
    values = {"x": "1/2", "y": 1, "w1": 2, "w2": -1, "w3": 3, "b1": 0, "b2": "1/2", "b3": 0}
    rows = [str(line) for line in map(text, lines(activation="gelu", depth=3, wrt="w1", values=values))]
    assert "a₁ = z₁ (1 + erf(z₁/√2))/2 = (1 + erf(1/√2))/2 ≈ 0.84134475" in rows
    assert "z₃ = w₃ a₂ + b₃ ≈ 3 · (-0.1250762358) ≈ -0.37522871" in rows
    assert any(
        row.endswith("(1 + erf(-0.34134474607/√2))/2 ≈ -0.12507624") for row in rows
    )  # its sign stays where it is


@pytest.mark.slow
def test_ends_that_have_no_formula_are_not_given_to_sympy():
    """SymPy searched for ways to write a derivative at a root, without end."""
    z = sympy.Symbol("z", real=True)
    text = str(gt.derive("explosion", activation=sympy.tanh(z) + sympy.tanh(z - 4)))
    assert "x₄" in text


@pytest.mark.parametrize(
    ("lang", "said"), [("en", "With w = -7, b = 1, c = 1/3:"), ("zh", "取 w = -7，b = 1，c = 1/3：")]
)
def test_what_is_put_in_is_said(lang, said):
    written = gt.derive("explosion", values={"b": 1, "w": -7, "c": "1/3"}, lang=lang).to_text()
    assert said in written.splitlines()


def test_letters_of_ones_own_stand_in_what_is_put_in():
    values = {"x": "0.5", "y": 1, "w1": 2, "b1": 0}
    written = gt.derive("gradient", depth=1, values=values, letters={"w": "theta"}).to_text()
    assert "With x = 0.5, y = 1, θ₁ = 2, b₁ = 0; " in written


_U = sympy.Symbol("z", real=True)
_AT_SWITCHES = [  # with σ' just before 0
    (sympy.sign(_U) * sympy.log(1 + sympy.Abs(_U)), 1),  # SymPy's derivative is 0 at 0
    (sympy.Piecewise((_U**2 + _U, sympy.Ne(_U, 0)), (0, True)), 1),
    (sympy.Max(0, _U), 0),
    (sympy.Max(_U / 10, _U), sympy.Rational(1, 10)),
    (sympy.Abs(sympy.tanh(_U)), -1),
]


@pytest.mark.parametrize(("own", "slope"), _AT_SWITCHES, ids=str)
def test_the_slope_of_ones_own_activation_at_a_switch_is_that_from_the_left(own, slope):
    values = {"x": 1, "y": 1, "w1": 1, "b1": -1}  # z = 0, a = 0
    derivation = gt.derive("gradient", depth=1, activation=own, wrt="b1", values=values)
    assert derivation.check().ok
    assert lines(depth=1, activation=own, wrt="b1", values=values)[-1].result.rhs == -slope
    chain = gt.Chain(1, own)
    numbers = {"x": 1, "y": 1, "w": [1], "b": [-1]}
    for gradient in (chain.gradient(chain.b[1]), chain.gradients()[chain.b[1]], chain.delta[1]):
        assert chain.substitute(gradient, **numbers) == -slope
    assert chain.backprop(1.0, 1.0, [1.0], [-1.0]).b[0] == -float(slope)
    two = gt.Chain(2, own)
    at = two.substitute(two.gradient(two.w[1]), x=1, y=1, w=[1, 2], b=[-1, "1/2"])
    assert float(at) == pytest.approx(two.backprop(1.0, 1.0, [1.0, 2.0], [-1.0, 0.5]).w[0], rel=1e-14)


def test_at_an_irrational_switch_the_slope_is_that_from_the_left():
    chain = gt.Chain(1, sympy.Abs(_U - sympy.sqrt(2)))
    at = {"x": 1, "y": 1, "w": [1], "b": [sympy.sqrt(2) - 1]}
    assert chain.substitute(chain.gradient(chain.b[1]), **at) == 1


def test_irrational_numbers_put_in_are_written_as_they_are():
    root = sympy.sqrt(2)
    values = {"w": -5 * root, "b": sympy.pi, "c": root / 2}
    derivation = gt.derive("explosion", activation="sigmoid", values=values)
    end = next(step.statement for step in derivation.steps if isinstance(step.statement, InNumbers))
    assert "= π/(5 √2) - 2 arsinh(√(5 √2/(1/√2) - 4)/2)/(5 √2) ≈ 0.1524742250" in text(end)
    assert "With w = -5 √2, b = π, c = 1/√2:" in derivation.to_text()
    assert r"\frac{\pi}{5 \cdot \sqrt{2}}" in derivation.to_latex()
    assert derivation.check().ok
    listing = derivation.to_text()
    made_again: dict[str, object] = {}
    exec(listing[listing.index("    import sympy") :].replace("\n    ", "\n").strip(), made_again)
    assert made_again["derivation"].to_text() == listing
    values = {"w1": root - 2, "b1": -sympy.pi, "x": -root, "y": sympy.log(2)}
    rows = [text(line) for line in lines(depth=1, activation="tanh", wrt="w1", values=values)]
    assert rows[0] == "z₁ = w₁ x + b₁ = (√2 - 2) (-√2) - π ≈ -2.3131655"
    assert rows[-1].endswith("≈ (-0.98060862451 - ln(2)) · 0.038406725538 (-√2) ≈ 0.090910569")


_LARGE = [  # with the last line, from fractions or mpmath
    ("quadratic", {"w1": "12345/2", "x": 1}, "(38099756.25 - 0) · 12345 · 1 ≈ 4.7034149 × 10^(11)"),
    ("identity", {"w1": "1234567891/4", "x": 1}, "(308641972.75 - 0) · 1 · 1 ≈ 3.0864197 × 10^(8)"),
    ("exponential", {"w1": "39/2", "x": 1}, "≈ (294267566.04 - 0) · 294267566.04 · 1 ≈ 8.6593400 × 10^(16)"),
    ("exponential", {"w1": 10000, "x": 1}, "· (8.8068182257 × 10^(4342)) · 1 ≈ 7.7560047 × 10^(8685)"),
    ("quadratic", {"w1": 10**30, "x": 1}, "= (1 × 10^(60) - 0) · (2 × 10^(30)) · 1 = 2.0000000 × 10^(90)"),
    ("relu", {"w1": 10**8, "x": 12}, "= (1200000000 - 0) · 1 · 12 = 14400000000"),
]


@pytest.mark.parametrize(("which", "values", "end"), _LARGE)
def test_of_large_numbers_no_digits_are_made_up(which, values, end):
    derivation = gt.derive("gradient", depth=1, activation=which, values={"b1": 0, "y": 0, **values})
    in_numbers = [step.statement for step in derivation.steps if isinstance(step.statement, InNumbers)]
    assert text(in_numbers[-1]).endswith(end)
    assert r"\times 10^{" in derivation.to_latex() or which == "relu"
    assert derivation.check().ok


def test_large_ends_of_sets_have_the_digits_that_are_known():
    derivation = gt.derive("explosion", activation="tanh", values={"w": "1/3", "b": "123456789123/10", "c": "1/10"})
    assert "≈ -3.703703674 × 10^(10)" in derivation.to_text()
    assert derivation.check().ok


_TINY = [  # with the digits of mpmath
    ("gaussian", {"w1": 100, "x": 1}, "≈ 2.2709677 × 10^(-4341)"),
    (_U * sympy.exp(-(_U**2)), {"w1": 100, "x": 1}, "≈ 2.2708542 × 10^(-4339)"),
    ("sigmoid", {"w1": 20000, "x": -1}, "≈ 1.2893236 × 10^(-8686)"),
    (sympy.tanh(_U) + sympy.Max(-1, sympy.Min(1, _U)), {"w1": 100, "x": 1}, "≈ 5.5355861 × 10^(-87)"),
    (sympy.tanh(_U) ** 2 - 1, {"w1": 100, "x": 1}, "≈ -1.1071172 × 10^(-86)"),
    ("gelu", {"w1": -100, "x": 1}, "≈ 1.344179 × 10^(-2170)"),
]


@pytest.mark.parametrize(("which", "values", "end"), _TINY, ids=str)
def test_tiny_numbers_are_written_however_small(which, values, end):
    derivation = gt.derive("gradient", depth=1, activation=which, values={"b1": 0, "y": 1, **values})
    in_numbers = [step.statement for step in derivation.steps if isinstance(step.statement, InNumbers)]
    assert text(in_numbers[-1]).endswith(end)
    assert end.removeprefix("≈ ") in derivation.to_text()
    assert derivation.check().ok


def test_what_is_too_small_to_be_written_is_not_called_0():
    with pytest.raises(Undecided, match="too small to write down, but not 0"):
        gt.derive("gradient", depth=1, activation="tanh", values={"w1": 10**6, "x": 1, "b1": 0, "y": 0})
    with pytest.raises(Undecided, match="not told from 0"):
        gt.derive("gradient", depth=1, activation=1 - sympy.tanh(_U), values={"w1": 10**6, "x": 1, "b1": 0, "y": 0})


def test_digits_that_are_given_are_all_written():
    given = "0.1234567890123456789012345678901234"
    (first, *_) = lines(depth=1, activation="relu", values={"w1": given, "x": 1, "b1": 0, "y": 0})
    assert f"= {given} · 1 ≈" in text(first)


@pytest.mark.parametrize(
    ("which", "values"),
    [
        ("cosine", {"w": 2, "b": 0, "c": 1}),
        ("sine", {"w": -3, "b": "1/2", "c": 1}),
        ("snake", {"w": 2, "b": 1, "c": 1}),
    ],
)
def test_a_periodic_set_in_numbers_is_that_of_one_period(which, values):
    derivation = gt.derive("explosion", activation=which, values=values)
    assert derivation.check().ok
    at = {step.rule: step for step in derivation.steps}
    assert at["set_of_one_period"].assumptions
    assert {"no_length", "set_in_numbers"}.isdisjoint(at)
    assert at["repeats"].statement.rhs == sympy.oo


@pytest.mark.parametrize("written", ["gelu(z) + z", "asinh(z) + z", "exp(-z**2) + z", "2*z - tanh(z - 1/7)"])
def test_the_least_slope_is_a_tight_bound_wherever_it_is(written):
    """Between the points that are tried, and at infinity, to which the slope falls as 1/z."""
    derivation = gt.derive("explosion", activation=gt.expression(written))
    assert derivation.check().ok
    assert "everywhere" in {step.rule for step in derivation.steps}


def test_long_numbers_under_logarithms_do_not_keep_sympy_busy():
    values = {"x": 2, "y": 0, "w1": "-1/2", "w2": 1, "w3": 3, "b1": -2, "b2": "1/2", "b3": 4}
    activation = gt.expression("z*log(1 + (z/5)**2)")
    last = lines(activation=activation, depth=3, wrt="w1", values=values)[-1]
    gradients = gt.Chain(3, activation).backprop(2.0, 0.0, [-0.5, 1.0, 3.0], [-2.0, 0.5, 4.0])
    assert abs(last.result.rhs - gradients.w[0]) < 1e-7 * abs(gradients.w[0])


def test_a_number_that_cancels_is_put_in_with_the_digits_that_are_needed():
    """z_2 is -2 + 2.57e-131, and the slope vanishes at -2."""
    values = {"w1": 4, "w2": "1/2", "b1": 4, "b2": -2, "x": 1, "y": 0}
    derived = gt.derive("gradient", activation=gt.expression("exp(-3*(z + 2)**2)"), depth=2, wrt="w2", values=values)
    assert derived.check().ok


def test_a_result_halfway_between_two_numbers_has_a_digit_more():
    """∂C/∂b₁ is exactly -0.00927734375; from 0.11111111 in place of 1/9 it is on the other side of the middle."""
    values = {"w1": 0, "w2": -2, "b1": 2, "b2": -3, "x": -1, "y": -2}
    derived = gt.derive("gradient", activation="softsign", depth=2, wrt="b1", values=values)
    assert derived.check().ok
    assert any(str(step).endswith("≈ -0.00927734375 (certified)") for step in derived.steps)


@pytest.mark.parametrize(("activation", "w"), [("gelu", 300), ("gelu", "1e6"), ("silu", "1e6"), ("mish", "1e6")])
def test_far_out_lines_are_checked_without_sympys_absolute_values(activation, w):
    derived = gt.derive("gradient", activation=activation, depth=1, values={"x": 1, "y": 0, "w1": w, "b1": 0})
    assert derived.check().ok


@pytest.mark.parametrize("function", ["cosh", "cos", "sin", "sech", "erfc"])
def test_a_sum_that_keeps_its_order_stays_as_it_is_in_a_function(function):
    values = {"w1": 100, "x": "1e-3", "b1": -sympy.pi, "y": 1}
    rows = list(map(text, lines(activation=gt.expression(f"{function}(z - 8)"), depth=1, wrt="w1", values=values)))
    assert any(f"{function}(-" in row for row in rows)


@pytest.mark.parametrize(
    ("activation", "values"),
    [
        ("softsign(atan(6*z - 5) + 2)", {"w1": sympy.E, "b1": -1, "x": -sympy.sqrt(2), "y": sympy.sqrt(2)}),
        ("silu(3*tanhshrink(z - 8/5)/10 - 4)", {"w1": -sympy.sqrt(2), "b1": -1, "x": "0.1", "y": 1}),
        ("log_cosh(4*silu(3*z/5 + 2))", {"w1": sympy.exp(-3), "b1": sympy.exp(-3), "x": sympy.sqrt(3), "y": 0}),
    ],
)
def test_products_and_sums_of_irrational_numbers_are_written_as_they_are(activation, values):
    """SymPy evaluated them with sums that it may not multiply out, and looked for their signs without end."""
    derived = gt.derive("gradient", activation=gt.expression(activation), depth=1, wrt="x", values=values)
    assert derived.to_text()
    assert derived.check().ok
