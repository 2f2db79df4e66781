"""Plots draw what the library computes, on the Axes they are given."""

import inspect
import re
import warnings

import numpy as np
import pytest
import sympy
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.text import Text

import gradtheory as gt
from gradtheory.errors import InvalidArgument
from gradtheory.plots import axes
from gradtheory.random_weights import meanfield
from gradtheory.random_weights.simulation import random_networks


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


_RUN = gt.train(
    gt.Chain(1, "identity"), [1.0], [0.0], [1.0], [0.0], optimiser=gt.optimisers.gradient_descent(1.5), steps=6
)
_NETWORK = gt.Network((1, 1), "tanh", w=[[[2.0]]], b=[[0.0]])
_SMALL = {
    "growth_of_layers": {"names": ["a", "b"], "gains": [1.5, 0.5], "spreads": [0.1, 0.1]},
    "explosion_region": {"region": gt.explosion_region(_NETWORK, ([-1], [1]))},
    "gradient_over_layers": {},
    "chain_diagram": {},
    "activation_and_slope": {},
    "factor_over_input": {"w": -7, "b": 1},
    "width_over_weight": {},
    "phase_diagram": {"points": 5},
    "basins": {"sigma_w": [1.5, 1.8, 2.0]},
    "correlation_map": {"sigma_w": [1.2], "activation": "relu"},
    "depth_scale_map": {"sigma_w": [0.8, 0.9], "sigma_b": [0.1, 0.2], "squared": True},
    "depth_scales": {"sigma_w": [0.8, 0.9]},
    "edges": {"activations": ["tanh", "gelu"], "points": 5},
    "settling": {"sigma_w": [1.2], "of": "q", "depth": 3},
    "trainable_depth": {"sigma_w": [0.8, 0.9], "depth": 10},
    "variance_map": {"sigma_w": [1.3]},
    "gradient_over_depth": {"depth": 3, "width": 16, "networks": 2},
    "factor_distribution": {"sigma_w": [2.0]},
    "lyapunov_over_weight": {"sigma_w": [1.0, 4.0]},
    "singular_values_of_layers": {"names": ["a", "b"], "values": [[2.0, 0.5], [1.0, 0.0]]},
    "stability_diagram": {"points": 5},
    "training_curve": {"run": _RUN},
}


def test_every_plot_is_tried():
    assert set(_SMALL) == set(gt.plots.__all__) - {"glance"}  # a figure, drawn in the atlas


@pytest.mark.sampled(2)
@pytest.mark.parametrize("draw", _SMALL)
def test_axes_in_axes_out(draw):
    _, ax = plt.subplots()
    assert getattr(gt.plots, draw)(ax=ax, **_SMALL[draw]) is ax
    assert isinstance(getattr(gt.plots, draw)(**_SMALL[draw]), Axes)
    assert ax.get_xlabel() or ax.texts
    assert ax.has_data() or ax.texts


@pytest.mark.parametrize(
    ("activation", "w", "b", "spans"), [("sigmoid", 7, 1, 1), ("sine", 2, 0, 5), ("relu", "1/2", 0, 0)]
)
def test_the_explosion_set_is_shaded(activation, w, b, spans):
    ax = gt.plots.factor_over_input(activation, w, b)
    assert len(ax.patches) == spans
    (x, factor), (left, right) = ax.lines[0].get_data(), ax.get_xlim()
    shaded = np.any([(x > patch.get_x()) & (x < patch.get_x() + patch.get_width()) for patch in ax.patches], axis=0)
    assert np.array_equal(np.broadcast_to(shaded, x.shape)[2:-2], (factor > 1)[2:-2])
    assert left < x.mean() < right


def test_a_factor_of_0_is_refused():
    with pytest.raises(InvalidArgument, match=r"w = 0: must not be 0"):
        gt.plots.factor_over_input("tanh", 0)
    with pytest.raises(InvalidArgument, match=r"w, b, threshold = \(2, 1e\+20, 1\): must leave a picture"):
        gt.plots.factor_over_input("tanh", 2, 1e20)


def test_gradients_grow_and_decay_exponentially():
    ax = gt.plots.gradient_over_layers((0.5, 1.5), depth=10)
    for line, factor in zip(ax.lines, (0.5, 1.5), strict=True):
        np.testing.assert_allclose(line.get_ydata(), factor ** np.arange(9, -1, -1.0), rtol=1e-12)


def test_the_marked_maximum_is_the_widest_explosion():
    ax = gt.plots.width_over_weight("tanh", threshold=2)
    curve, mark = ax.lines[:2]
    widest = gt.widest_explosion("tanh", threshold=2)
    assert mark.get_ydata()[0] == float(widest.width)
    assert mark.get_xdata()[0] == float(widest.weight)
    assert curve.get_ydata().max() <= mark.get_ydata()[0]


def test_every_activation_can_be_drawn(name):
    assert len(gt.plots.activation_and_slope(name).lines) == 3


def labelled(ax):
    return {text.get_text() for text in ax.get_legend().get_texts()}


@pytest.mark.slow
def test_the_phase_diagram_is_the_edge_of_chaos():
    ax = gt.plots.phase_diagram("tanh", largest_bias=0.5, points=6)
    edge = meanfield.edge_of_chaos("tanh", np.linspace(0, 0.5, 6))
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), edge.sigma_w)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), edge.sigma_b)
    assert {"ordered: gradients vanish", "chaotic: they explode"} == {text.get_text() for text in ax.texts}
    gelu = gt.plots.phase_diagram("gelu", points=6)
    critical = meanfield.critical_initialisation("gelu")
    assert (gelu.lines[1].get_xdata()[0], gelu.lines[1].get_ydata()[0]) == (critical.sigma_w, critical.sigma_b)
    assert "critical initialisation" in labelled(gelu)
    assert "critical initialisation" not in labelled(gt.plots.phase_diagram("gelu", largest_bias=0.3, points=6))


@pytest.mark.slow
def test_the_phase_diagram_shows_where_the_start_decides():
    ax = gt.plots.phase_diagram("gelu", points=6)
    assert "the start decides" in {text.get_text() for text in ax.texts}
    dashed = next(line for line in ax.lines if line.get_label() == "edge at an unstable fixed point")
    weights, biases = dashed.get_xdata(), dashed.get_ydata()
    for place in np.flatnonzero((biases > 0.1) & (biases < 0.4))[::20]:
        points = meanfield.fixed_points("gelu", weights[place], biases[place])
        nearest = min(points, key=lambda point: abs(point.chi - 1))
        assert abs(nearest.chi - 1) < 1e-6
        assert not nearest.is_stable
    # (1.8, 0.05) is in that region: gradients vanish from small variances, and explode for inputs of mean square 1
    vanishing, exploding, either = (region.get_paths()[0] for region in ax.collections[:3])
    assert either.contains_point((1.8, 0.05))
    assert not either.contains_point((1.3, 0.05))
    assert vanishing.contains_point((1.3, 0.05))
    assert exploding.contains_point((2.3, 0.05))
    beside = np.stack(np.meshgrid(np.linspace(1.38, 1.45, 60), [0.05]), axis=-1).reshape(-1, 2)
    assert not exploding.contains_points(beside).any()  # it does not lie between the two others
    assert "explodes beyond, from mean square 1" in labelled(ax)


def test_where_there_is_no_edge_nothing_is_drawn():
    with pytest.raises(InvalidArgument, match="activation = 'softplus': has no edge of chaos to draw: "):
        gt.plots.phase_diagram("softplus", points=5)
    with pytest.raises(InvalidArgument, match="largest_bias = 0"):
        gt.plots.phase_diagram("tanh", largest_bias=0)


@pytest.mark.slow
def test_lines_are_theory_and_dots_simulation():
    ax = gt.plots.gradient_over_depth("tanh", (1.0, 1.4), sigma_b="0.1", depth=4, width=16, networks=3, seed=2)
    assert len(ax.lines) == 4
    for position, sigma_w in enumerate((1.0, 1.4)):
        theory, dots = ax.lines[2 * position : 2 * position + 2]
        np.testing.assert_allclose(theory.get_ydata() ** 2, meanfield.gradients("tanh", 4, sigma_w, 0.1), rtol=1e-14)
        sample = random_networks("tanh", 4, 16, sigma_w, 0.1, networks=3, seed=2)
        np.testing.assert_allclose(dots.get_ydata() ** 2, sample.gradient.mean, rtol=1e-14)
    assert ax.get_xlim()[0] > ax.get_xlim()[1]  # the last layer is on the left
    assert ax.get_yscale() == "log"
    law = gt.log_jacobian([16] * 5, "tanh", 1.0, 0.1)  # of W_1 too, whose σ_w is 1
    band = next(each for each in ax.collections if isinstance(each, PolyCollection)).get_paths()[0].vertices
    ends = 2 * np.log(band[band[:, 0] == 1.0][:, 1])
    assert ends.max() == pytest.approx(law.mean + law.variance**0.5, abs=1e-9)
    assert ends.min() == pytest.approx(law.mean - law.variance**0.5, abs=1e-9)


@pytest.mark.slow
def test_the_law_of_the_factor_falls_from_one_to_zero():
    ax = gt.plots.factor_distribution("tanh", [1.0, 3.0], sigma_b=0.5)
    for line, sigma_w in zip(ax.lines, (1.0, 3.0), strict=False):
        shares = line.get_ydata()
        assert np.all(np.diff(shares) <= 1e-9)
        assert 0 <= shares[-1] < 1e-3
        assert 0.9 < shares[0] <= 1
        for position, near in ((100, 1e-6), (225, 2e-4), (300, 1e-6)):  # the middle one lies between two nodes
            c = line.get_xdata()[position]
            assert shares[position] == pytest.approx(
                gt.factor_probability("tanh", sigma_w, threshold=c, sigma_b=0.5), abs=near
            )


@pytest.mark.slow
def test_growth_over_the_weight():
    scales = [0.5, 2.0, 8.0]
    ax = gt.plots.lyapunov_over_weight("sigmoid", scales, sigma_b=0.3)
    exponents = [gt.lyapunov_exponent("sigmoid", each, 0.3) for each in scales]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [each.value for each in exponents])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), [each.mean_square for each in exponents])


@pytest.mark.slow
def test_growth_breaks_off_where_an_exponent_is_refused():
    ax = gt.plots.lyapunov_over_weight("snake", [0.05, 0.6])
    assert np.isnan(ax.lines[0].get_ydata()).tolist() == [False, True]
    with pytest.raises(InvalidArgument, match=r"^sigma_w = 0.6: spreads z over more than 200 periods of snake"):
        gt.plots.lyapunov_over_weight("snake", [0.6])


def test_the_stability_diagram_shows_the_limits():
    ax = gt.plots.stability_diagram(("heavy_ball", "adam"), points=4)
    for line, name in zip(ax.lines, ("heavy_ball", "adam"), strict=False):
        for beta, height in zip(line.get_xdata(), line.get_ydata(), strict=True):
            region = gt.stability_region(name)
            assert region.contains(eta=height * (1 - 1e-9), beta=beta, h=1)
            assert not region.contains(eta=height * (1 + 1e-9), beta=beta, h=1)
    assert labelled(ax) == {"heavy ball", "Adam", "gradient descent"}
    with pytest.raises(InvalidArgument, match="optimisers = 'adamw'"):
        gt.plots.stability_diagram(["adamw"])


def test_the_training_curve_is_the_run():
    ax = gt.plots.training_curve(_RUN)
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), _RUN.loss)
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), _RUN.gradient_norm)
    assert len(ax.lines) == 2 + 6  # the loss is four times greater after each step


@pytest.mark.slow
def test_widths_are_drawn_without_a_closed_form():
    z = sympy.Symbol("z", real=True)
    ax = gt.plots.width_over_weight(z / (1 + z**2))
    (w, *_), (length, *_) = ax.lines[0].get_data()
    assert length == pytest.approx(float(gt.explosion_width(z / (1 + z**2), w)), rel=1e-12)


@pytest.mark.slow
def test_networks_stand_in_the_phase_diagram_where_their_weights_are():
    ax = gt.plots.phase_diagram("relu", points=5, networks=[[3.0, 0.2]])
    marks = next(line for line in ax.lines if line.get_label() == "of this network")
    assert np.array(marks.get_data()).T.tolist() == [[3.0, 0.2]]
    edge = next(line for line in ax.lines if "edge of chaos" in str(line.get_label()))
    np.testing.assert_allclose(edge.get_xdata(), 2**0.5)
    assert ax.get_xlim()[1] > 3.0
    with pytest.raises(InvalidArgument, match=r"networks.shape = \(2,\)"):
        gt.plots.phase_diagram("tanh", points=5, networks=[1.0, 2.0])


def test_singular_values_are_drawn_but_for_zeros():
    ax = gt.plots.singular_values_of_layers(["a", "b"], [[2.0, 0.5], [1.0, 0.0]])
    assert [line.get_ydata().tolist() for line in ax.lines if line.get_marker() == "."] == [[2.0, 0.5], [1.0]]
    with pytest.raises(InvalidArgument, match="must be 2 arrays"):
        gt.plots.singular_values_of_layers(["a", "b"], [[2.0]])


@pytest.mark.parametrize("sizes", [[1e308, 1e308], [1e250, 1e-308], [1e100, 1e200], [1e308, 5e-324], [1e-300, 1e-300]])
def test_sizes_near_the_ends_of_float64_are_drawn_without_warnings(sizes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for ax in (
            gt.plots.growth_of_layers(["a", "b"], sizes, [0.1, 0.1]),
            gt.plots.singular_values_of_layers(["a", "b"], [[size] for size in sizes]),
        ):
            ax.figure.canvas.draw()


_SPEAKING = [draw for draw in _SMALL if "lang" in inspect.signature(getattr(gt.plots, draw)).parameters]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("draw", _SPEAKING)
def test_labels_are_chinese_where_there_is_a_font(draw, tmp_path):
    ax = getattr(gt.plots, draw)(lang="zh", **_SMALL[draw])
    ax.figure.savefig(tmp_path / "picture.svg")  # a missing character is a warning, and so an error here
    texts = [text.get_text() for text in ax.findobj(Text)]
    words = [text for text in texts if re.search(r"[a-z]{3,} [a-z]{3,}", re.sub(r"\$.*?\$", "", text))]
    assert not words or not _has_font()
    assert any(re.search(r"[\u4e00-\u9fff]", text) for text in texts) == _has_font()


def test_labels_are_english_without_a_font(monkeypatch):
    monkeypatch.setattr(axes, "_chinese_font", lambda: None)
    ax = gt.plots.width_over_weight("tanh", lang="zh")
    assert ax.get_ylabel() == "length of $X_w$"
    ax.set_title("标题")
    axes.legible(ax)


def test_a_language_that_is_none_is_refused():
    with pytest.raises(InvalidArgument, match="lang = 'fr': must be one of 'en', 'zh'"):
        gt.plots.training_curve(_RUN, lang="fr")


def _has_font():
    return axes._chinese_font() is not None


@pytest.mark.parametrize(
    ("draw", "argument"),
    [
        (lambda huge: gt.plots.activation_and_slope("relu", span=huge), "span"),
        (lambda huge: gt.plots.variance_map("relu", (1.3,), largest=huge), "largest"),
        (lambda huge: gt.plots.variance_map("relu", (huge,)), "sigma_w"),
        (lambda huge: gt.plots.settling("relu", (1.3,), sigma_b=huge), "sigma_b"),
        (lambda huge: gt.plots.basins("gelu", [1, huge]), "sigma_w"),
        (lambda huge: gt.plots.trainable_depth("tanh", [1, 2, huge]), "sigma_w"),
        (lambda huge: gt.plots.edges(("tanh",), largest_bias=huge, points=9), "largest_bias"),
    ],
)
@pytest.mark.parametrize("huge", [1e200, 1.7e308])
def test_sizes_that_matplotlib_cannot_draw_are_refused(draw, argument, huge):
    with pytest.raises(InvalidArgument, match=f"{argument} = .*to be drawn"):
        draw(huge)


def test_scales_without_a_stable_variance_are_named():
    ax = gt.plots.correlation_map("relu", [1.0, 3.0])
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [r"no\ stable" in label for label in labels] == [False, True]


@pytest.mark.parametrize(("activation", "scale"), [("gelu", 1.8), ("tanh", 0.9)])
def test_scales_of_which_the_smallest_stable_variance_is_0_say_so(activation, scale):
    ax = gt.plots.correlation_map(activation, (scale,), sigma_b=0.0)
    (label,) = (text.get_text() for text in ax.get_legend().get_texts())
    assert label.endswith(r"q^\ast = 0$")
