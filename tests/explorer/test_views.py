"""What the page answers: the same numbers as the public functions, in words that cannot break the page."""

import numpy as np
import pytest

import gradtheory as gt
from gradtheory.explorer import workers
from gradtheory.explorer.chain import ChainView, chain, layers_at, total
from gradtheory.explorer.export import derivation
from gradtheory.explorer.neuron import neuron, widths
from gradtheory.explorer.phases import phases
from gradtheory.explorer.state import State


def test_the_set_of_seven_and_one_is_exact():
    view = neuron(State())
    assert view.latex.startswith(
        r"\left\{x : \left|\sigma'\left(7 x + 1\right) \cdot 7\right| > 1\right\} = \left(- \frac"
    )
    assert r"\operatorname{arsinh}\left(\sqrt{3} / 2\right)" in view.latex
    assert "0.366685605281773" in view.html
    assert "0.0809713195674873" in view.html
    assert 'class="badge exact"' in view.html
    assert view.width == pytest.approx(0.44765692484926)
    assert view.level == 1 / 7
    assert view.at == pytest.approx((0.3, 1 / (1 + np.exp(-0.3)), np.exp(-0.3) / (1 + np.exp(-0.3)) ** 2))
    assert "精确" in neuron(State(lang="zh")).html


def test_a_neuron_is_the_layer_that_is_looked_at():
    view = neuron(State(w=("1", "-3", "1"), b=("0", "0.5", "0"), layer=2, activation="tanh", x="0.2"))
    assert (
        view.latex.startswith(r"\left\{a_{1} : \left|\sigma'\left(- 3 a_{1} + \frac{1}{2}\right)")
        or "a_{1}" in view.latex
    )
    assert view.at[0] == pytest.approx(-3 * np.tanh(0.2) + 0.5)
    assert r"\left(-3\right)" in view.latex


@pytest.mark.parametrize(
    ("state", "shown", "width"),
    [
        (State(w=("0",), b=("1",)), "", 0.0),
        (State(w=("4",), b=("1",)), "", 0.0),
        (State(w=("2",), b=("0",), activation="relu"), "<mn>0</mn><mo>&#x0003C;</mo><mi>x</mi>", np.inf),
        (State(w=("1",), b=("0",), activation="z + sin(z)"), "", np.inf),
    ],
)
def test_sets_of_every_kind_are_shown(state, shown, width):
    view = neuron(state)
    assert shown in view.html
    assert view.width == width
    assert view.html.count("<span") == 1


@pytest.mark.slow
def test_the_curve_of_widths_scales_with_the_threshold():
    one, two = widths(State(activation="tanh")), widths(State(activation="tanh", c="2"))
    assert np.array_equal(two.weight, 2 * one.weight)
    assert np.array_equal(two.width, one.width / 2)
    assert two.critical == 2 * one.critical == 2
    assert two.widest == pytest.approx((2 * one.widest[0], one.widest[1] / 2))
    weight = float(f"{two.weight[30]:.6g}")
    assert two.width[30] == pytest.approx(float(gt.explosion_width("tanh", weight, threshold=2)), rel=1e-4)
    assert max(two.width) <= two.widest[1]
    assert widths(State(activation="relu")).widest is None
    assert np.isinf(widths(State(activation="relu")).width[2:]).all()


def test_the_gradient_over_x_is_that_of_backpropagation():
    state = State(activation="tanh", w=("2", "-1.5", "3"), b=("0.1", "0", "1/4"), x="0.3")
    view = chain(state)
    model = gt.Chain(3, "tanh")
    outputs = layers_at(state, view.x).a[-1]
    result = model.backprop(view.x, outputs - 1.0, state.floats("w"), state.floats("b"))  # ∂C/∂a_L is 1
    np.testing.assert_allclose(view.gradient, np.abs(result.x), rtol=1e-9)
    inside = view.gradient > 1e-3  # where no factor leaves the colours
    np.testing.assert_allclose(10.0 ** view.factors.sum(axis=0)[inside], view.gradient[inside], rtol=1e-5)
    assert view.x[0] < view.input < view.x[-1]
    assert view.latex.count(r"\sigma'") == 3


def test_layers_are_told_apart_by_what_they_do():
    view = chain(State(x="-0.1", w=("7", "5", "0.1"), b=("1", "-2.5", "0")))
    assert "explode: 1–2" in view.here
    assert "Below 1 are those of: 3" in view.here
    assert "below 1: " in view.here
    assert view.html.count('class="explodes"') == 2
    assert view.html.count('class="vanishes"') == 1
    keeps = chain(State(activation="relu", w=("2",), b=("0",), c="3", x="1"))
    assert "neither below 1 nor above c" in keeps.here
    assert 'class="keeps"' in keeps.html


def test_deep_chains_are_written_out_in_short():
    state = State(w=("7", "1") * 50, b=("0",) * 100)
    view = chain(state)
    assert len(view.layers) == len(view.factors) == 50
    assert view.layers[0] == 1
    assert view.layers[-1] == 100
    assert view.html.count("⋮") == 7
    assert r"\cdots" in view.latex
    assert r"10^{" in view.latex
    separate = chain(State(activation="relu", w=("2", "1/2") * 50, b=("0",) * 100, x="1"))
    assert "explode: 1, 3, 5, 7, 9, …." in separate.here
    assert chain(State(activation="relu", w=("1e30",) * 20, b=("0",) * 20, x="1")).at == 1e300
    assert chain(State(activation="quadratic", w=("100",) * 10, b=("0",) * 10, x="9")).html
    assert chain(State(w=("0",), b=("1",))).at == 1e-300


def test_the_total_set_lies_under_its_bound():
    view = total(State())
    ((low, high),) = view.ends
    assert "on one interval" in view.html
    assert "0.290692569591739" in view.html
    assert 0 < high - low < view.bound == pytest.approx(0.447743204694303)
    assert view.reach == pytest.approx(view.bound)
    assert "<mi>K</mi>" not in view.html  # the bound is H/c, which is K/c for few activations only
    over = chain(State(x="-0.1"))
    assert (over.gradient <= over.bound_from_here(view.reach) * (1 + 1e-9)).all()
    assert np.isnan(over.bound_from_here(None)).all()
    assert "nowhere" in total(State(w=("1",), b=("0",))).html


@pytest.mark.slow
def test_without_the_theorem_no_bound_is_drawn():
    view = total(State(activation="gelu", w=("0.95",), b=("0",)))
    assert view.reach is None
    assert "dashed" not in view.html
    assert total(State(activation="relu", w=("2",), b=("0",))).ends == ((0.0, np.inf),)
    several = total(State(activation="gelu", w=("7",) * 3, b=("0", "-3.5", "-3.5")))
    assert "on 2 intervals" in several.html
    assert len(several.ends) == 2
    assert several.ends[1][1] == np.inf


@pytest.mark.slow
def test_phases_reach_beyond_the_point_and_agree_with_the_edge():
    view = phases(State(activation="tanh", sigma_w="3", sigma_b="0.3"))
    assert view.right == 4.0
    assert view.top == 1.0
    assert view.edge_w[0] == pytest.approx(1.0)
    left, right = view.phase[0, :14], view.phase[0, 17:]  # at σ_b = 1/60 the edge is at 1.06
    assert not left.any()
    assert (right == 1).all()
    assert phases(State(activation="tanh", sigma_w="3.1", sigma_b="0.2")) is view


def test_a_refusal_is_one_line_and_a_fault_says_so(monkeypatch):
    assert isinstance(workers.answered("chain", State()), ChainView)
    refused = workers.answered("neuron", State(activation="<script>"))
    assert isinstance(refused, workers.Refusal)
    assert "\n" not in refused.reason
    monkeypatch.setattr(workers, "_ANSWERS", {"neuron": lambda _: 1 / 0})
    assert workers.answered("neuron", State()) == workers.Refusal("No answer: ZeroDivisionError: division by zero")


@pytest.mark.slow
def test_the_derivation_is_a_page_with_the_numbers():
    page = derivation(State(lang="zh"))
    assert page.startswith("<!DOCTYPE html>")
    assert "0.4476569" in page
