"""The page on depth is not stale, and what it computes agrees with the exact sets and the theorem."""

from pathlib import Path

import numpy as np
import pytest
import sympy

import gradtheory as gt
from gradtheory.errors import Undecided
from gradtheory.pages import depth
from gradtheory.pages.depth import figures, sample, search, wide_layers

_DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_the_page_in_docs_is_not_stale(tmp_path):
    (tmp_path / "images").mkdir()
    names = [path.relative_to(tmp_path) for path in depth.write(tmp_path)]
    assert len(names) == 4
    assert (_DOCS / "depth.md").read_text(encoding="utf-8") == depth.page(), (
        "run `python docs/images/draw_depth.py`, or build the documentation"
    )
    assert all((_DOCS / name).exists() for name in names)


@pytest.fixture(scope="module")
def chains():
    return sample.draw(200, seed=3)


def test_the_gradients_of_the_random_chains_are_those_of_chains(chains):
    x = np.linspace(-1.0, 1.0, 200)
    logs = sample.log_gradient(chains, x)
    for number in range(0, 200, 25):
        used = chains.w[:, number] != 0.0
        w, b = chains.w[used, number], chains.b[used, number]
        chain = gt.Chain(int(used.sum()))
        by_bias = [chain.backprop(x=x[number], y=y, w=w, b=b).b[0] for y in (0.0, 1.0)]
        gradient = (by_bias[0] - by_bias[1]) * w[0]  # the slopes of both losses by the output differ by 1
        assert logs[number] == pytest.approx(np.log(abs(gradient)), rel=1e-9, abs=1e-9)


@pytest.mark.slow
def test_the_random_chains_explode_on_intervals_under_the_line(chains):
    sets = sample.explosions(chains)
    shares = sets.threshold * (sets.right - sets.left) / float(gt.depth_bound("sigmoid").value)
    assert 0.8 < shares.max() < 1.0
    level = np.log(sets.threshold)
    for place in (sets.left, sets.right):
        assert sample.log_gradient(chains, place) == pytest.approx(level, abs=1e-3)
    assert (sample.log_gradient(chains, (sets.left + sets.right) / 2) > level - 1e-9).all()


@pytest.mark.slow
@pytest.mark.parametrize("which", search.SEARCHED)
def test_what_is_found_lies_between_one_neuron_and_the_limit(which):
    bounds = search.lower_bounds(which)
    one, highest = float(gt.widest_explosion(which).width), float(gt.depth_bound(which).value)
    assert list(bounds) == sorted(bounds)
    assert bounds[0] == pytest.approx(one, rel=1e-9)
    assert bounds[-1] <= highest * (1 + 1e-9)
    assert bounds[-1] > 0.999 * highest


@pytest.mark.parametrize("layer", wide_layers.LAYERS, ids=lambda each: str(each.neurons))
def test_wide_layers_are_as_wide_as_is_said(layer):
    weights = [(each.share, each.weight, sign * float(each.shift)) for each in layer.pairs for sign in (-1, 1)]
    v, w, s = np.array([*weights, *([(1, layer.middle, 0)] if layer.middle else [])], dtype=float).T
    assert len(v) == layer.neurons
    x = np.linspace(-1.0, 1.0, 20_001)[:, None]
    output = np.sum(v / v.sum() / (1 + np.exp(-w * (x - s))), axis=1)
    least = 2 * np.min(np.diff(output)) / (x[1, 0] - x[0, 0])  # by difference quotients
    assert 0 <= least - float(wide_layers.proven_width(wide_layers.layer(layer))) < 2e-4


@pytest.mark.slow
def test_width_that_is_too_great_is_not_proven():
    two, reach = wide_layers.two_before_one("20.927", "4", "1.895"), sympy.Rational("1.895")
    assert float(wide_layers.proven_width(two)) > 0.69978
    assert wide_layers.proven_width(wide_layers.Network(two.slope, 2 * reach)) < "0.1"  # f' has fallen there
    dip = wide_layers.Network(
        two.slope * (1 - sympy.exp(-((1000 * (wide_layers.X - reach / 3000)) ** 2))), reach
    )  # between places
    with pytest.raises(Undecided):
        wide_layers.proven_width(dip)


@pytest.mark.slow
@pytest.mark.parametrize("draw", [figures.line, figures.elsewhere])
def test_the_curves_of_the_figures_lie_under_their_bounds(draw):
    (axes,) = draw().axes
    bound, lengths = axes.lines
    x, y = lengths.get_data()
    if draw is figures.line:
        assert (x * y < bound.get_xdata()[0] * bound.get_ydata()[0]).all()
    else:
        assert (y <= bound.get_ydata()).all()
