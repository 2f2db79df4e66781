"""The pictures of the page: each is made once, and every answer only moves what it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from bokeh.models import ColumnDataSource, Div, FixedTicker, LinearColorMapper, Range1d, Span
from bokeh.plotting import figure

from gradtheory.document.messages import words
from gradtheory.explorer.chain import ChainView, TotalView
from gradtheory.explorer.neuron import Neuron, Widths
from gradtheory.explorer.phases import Phases

BLUE, RED, GREY, VIOLET = "#1f5fa8", "#c0392b", "#7f8c8d", "#7d3c98"
_FILLS = ("#dfe8f3", "#f7e3e0", "#ece2f0")  # vanish, explode, the start decides
_HEIGHT = 280
_LEAST, _MOST = 1e-290, 1e290  # of an axis in logarithms
_DECADES = 1.0  # of a factor, from white to full colour

# Of what stands in a Div, which has a style of its own.
STYLE = """
:host { font: 15px/1.55 system-ui, "Noto Sans CJK SC", sans-serif; color: #222; }
.bk-clearfix { display: block !important; width: 100%; }
math { font-family: "gradtheory maths", math; font-size: 1.1em; }
.formula, .wide { overflow-x: auto; overflow-y: hidden; padding: .15rem 0; }
.formula math { text-align: left; margin: .2rem 0; }
.digits { font-variant-numeric: tabular-nums; overflow-x: auto; overflow-y: hidden; }
.badge { font-size: .8em; padding: .1em .7em; border-radius: 1em; background: #e8eef7; color: #1f5fa8; }
.badge.certified { background: #e5f3e8; color: #1b7a3d; } .badge.numeric { background: #f6efdf; color: #8a5a00; }
.refused { color: #a3241b; } .working { color: #666; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .7rem; border-bottom: 1px solid #e3e6ea; text-align: right; white-space: nowrap; }
th { font-weight: normal; } .together { white-space: nowrap; }
.explodes { color: #a3241b; font-weight: bold; } .vanishes { color: #1f5fa8; font-weight: bold; }
"""


# Of a picture: until Bokeh has drawn it for another width, it has the old one, and the page would be as wide.
_WITHIN = ":host { overflow: clip; }"


def text(name: str) -> Div:
    """Return a place for words."""
    return Div(text="", name=name, sizing_mode="stretch_width", stylesheets=[STYLE])


def _figure(name: str, **options: Any) -> Any:
    """Return axes that fill the width that they are given."""
    plot = figure(
        name=name,
        height=_HEIGHT,
        sizing_mode="stretch_width",
        tools="pan,xwheel_zoom,box_zoom,reset",
        toolbar_location="above",
        min_border_left=50,
        stylesheets=[_WITHIN],
        **{"x_range": Range1d(0, 1), "y_range": Range1d(0, 1), **options},  # those of data without data are warned of
    )
    plot.toolbar.logo = None
    plot.toolbar.autohide = True
    plot.grid.grid_line_alpha = 0.4
    return plot


def _fit(extent: Range1d, low: float, high: float, room: float = 0.0) -> None:
    """Let an axis reach from low to high, with some room at both ends."""
    more = room * (high - low)
    extent.update(start=low - more, end=high + more, reset_start=low - more, reset_end=high + more)


def _legend_below(plot: Any, columns: int = 4) -> None:
    legend = plot.legend[0]
    plot.center.remove(legend)
    plot.add_layout(legend, "below")
    legend.update(orientation="horizontal", ncols=columns, label_text_font_size="11px", border_line_color=None)
    legend.update(padding=0, margin=0, spacing=8)


def _line(plot: Any, color: str, label: str, **style: Any) -> ColumnDataSource:
    source = ColumnDataSource(data={"x": [], "y": []})
    plot.line("x", "y", source=source, color=color, legend_label=label, **{"line_width": 2, **style})
    return source


def _dot(plot: Any, color: str, label: str) -> ColumnDataSource:
    source = ColumnDataSource(data={"x": [], "y": []})
    plot.scatter("x", "y", source=source, color=color, size=9, legend_label=label)
    return source


def _span(plot: Any, dimension: str, color: str = GREY) -> Span:
    span = Span(dimension=dimension, line_color=color, line_dash="dotted", location=np.nan)
    plot.add_layout(span)
    return span


def _move(source: ColumnDataSource, data: Mapping[str, Any]) -> None:
    """Show other data: what is the same is not sent, or the browser would draw the picture anew."""
    if any(not np.array_equal(source.data[name], column) for name, column in data.items()):
        source.data = dict(data)


class Pictures:
    """All pictures, in the language of the page.

    Parameters
    ----------
    lang : {"en", "zh"}
        That language.

    """

    def __init__(self, lang: str) -> None:
        self._said: Mapping[str, str] = words(lang)["explorer"]
        self._answers: dict[str, Any] = {}
        self._layers: dict[int, str] = {}  # the names beside the rows of factors
        self._slope()
        self._width()
        self._gradient()
        self._factors()
        self._phases()

    @property
    def roots(self) -> tuple[Any, ...]:
        """The pictures."""
        return self.slope, self.width, self.gradient, self.factors, self.phases

    def show(self, kind: str, answer: Any) -> None:
        """Draw an answer."""
        self._answers[kind] = answer
        getattr(self, f"_show_{kind}")(answer)

    def _slope(self) -> None:
        self.slope = _figure("slope", x_axis_label="z")
        self._curves = ColumnDataSource(data={"z": [], "value": [], "slope": [], "inside": []})
        label = self._said["set_label"]
        self.slope.varea("z", 0, "inside", source=self._curves, color=RED, alpha=0.2, legend_label=label)
        for label, column, color in (("σ(z)", "value", BLUE), ("σ′(z)", "slope", RED)):
            self.slope.line("z", column, source=self._curves, color=color, legend_label=label, line_width=2)
        self._levels = [_span(self.slope, "width"), _span(self.slope, "width")]
        self._at_z = _dot(self.slope, "black", self._said["point_label"])
        _legend_below(self.slope)

    def _show_neuron(self, answer: Neuron) -> None:
        curves = np.concatenate([answer.value, answer.slope])
        curves = curves[np.isfinite(curves)]
        _fit(self.slope.x_range, answer.z[0], answer.z[-1])
        _fit(self.slope.y_range, curves.min(), curves.max(), room=0.08)
        inside = np.where(np.abs(answer.slope) > answer.level, answer.slope, 0.0)
        _move(self._curves, {"z": answer.z, "value": answer.value, "slope": answer.slope, "inside": inside})
        shown = answer.level if answer.level < 1e3 else np.nan
        self._levels[0].location = shown
        self._levels[1].location = -shown if answer.slope.min() < 0 else np.nan
        z, value, slope = answer.at
        near = abs(z) <= answer.z[-1]  # a point far away would shrink the curves
        _move(self._at_z, {"x": [z, z], "y": [value, slope]} if near else {"x": [], "y": []})
        _move(
            self._here,
            {"x": [answer.weight], "y": [answer.width]} if np.isfinite(answer.width) else {"x": [], "y": []},
        )

    def _width(self) -> None:
        self.width = _figure("width", x_axis_label=self._said["axis_weight"], y_axis_label=self._said["axis_width"])
        self._widths = _line(self.width, BLUE, self._said["axis_width"])
        self._widest = _dot(self.width, RED, "K/c")
        self._here = _dot(self.width, "black", self._said["point_label"])
        self._critical = _span(self.width, "height")
        self._longest = _span(self.width, "width", RED)
        _legend_below(self.width)

    def _show_widths(self, answer: Widths) -> None:
        finite = np.isfinite(answer.width)
        _fit(self.width.x_range, 0.0, answer.weight[-1])
        _fit(self.width.y_range, 0.0, 1.1 * (answer.width[finite].max() or 1.0))
        _move(self._widths, {"x": answer.weight[finite], "y": answer.width[finite]})
        _move(self._widest, {"x": [answer.widest[0]], "y": [answer.widest[1]]} if answer.widest else {"x": [], "y": []})
        self._critical.location = answer.critical
        self._longest.location = answer.widest[1] if answer.widest else np.nan

    def _gradient(self) -> None:
        self._x_range = Range1d(-1, 1)  # of both pictures over x
        self.gradient = _figure(
            "gradient", y_axis_type="log", x_range=self._x_range, y_range=Range1d(1e-3, 10), x_axis_label="x"
        )
        self._gradients = _line(self.gradient, BLUE, "|∂a_L/∂x|")
        self._envelope = _line(self.gradient, VIOLET, self._said["envelope_label"], line_dash="dashed", line_width=1.5)
        self._total = ColumnDataSource(data={"x0": [], "x1": [], "y": []})
        self._bound = ColumnDataSource(data={"x0": [], "x1": [], "y": []})
        for source, color, label in ((self._total, RED, "set_label"), (self._bound, GREY, "bound_label")):
            self.gradient.segment(
                "x0", "y", "x1", "y", source=source, color=color, line_width=5, legend_label=self._said[label]
            )
        self._at_x = _dot(self.gradient, "black", self._said["point_label"])
        self._threshold = _span(self.gradient, "width")
        _legend_below(self.gradient, 3)

    def _factors(self) -> None:
        self.factors = _figure(
            "factors", x_range=self._x_range, x_axis_label="x", y_axis_label=self._said["axis_layer"]
        )
        self._image = ColumnDataSource(data={"image": [], "x": [], "y": [], "dw": [], "dh": []})
        mapper = LinearColorMapper(palette=_diverging(), low=-_DECADES, high=_DECADES)
        self.factors.image("image", "x", "y", "dw", "dh", source=self._image, color_mapper=mapper)
        self._at_factor = _span(self.factors, "height", "black")
        self.factors.grid.visible = False

    def _show_chain(self, answer: ChainView) -> None:
        rows = len(answer.layers)
        _move(self._gradients, {"x": answer.x, "y": answer.gradient})
        _move(self._at_x, {"x": [answer.input], "y": [answer.at]})
        self._at_factor.location = answer.input
        left, right = float(answer.x[0]), float(answer.x[-1])
        _fit(self._x_range, left, right)
        _fit(self.factors.y_range, 0.5, rows + 0.5)
        _move(self._image, {"image": [answer.factors], "x": [left], "y": [0.5], "dw": [right - left], "dh": [rows]})
        self._name_layers(answer.layers)
        top = max(float(answer.gradient.max()), answer.threshold)
        low = max(float(answer.gradient.min()), 1e-5 * top, _LEAST)
        _fit(self.gradient.y_range, min(low, answer.threshold / 10.0) / 2.0, min(4.0 * top, _MOST))
        self._threshold.location = answer.threshold
        self._show_ends()

    def _name_layers(self, layers: Sequence[int]) -> None:
        """Write layers beside their rows; only where they are others, because the browser lays the picture out anew."""
        rows = len(layers)
        places = sorted({0, rows // 2, rows - 1}) if rows > 10 else range(rows)
        names = {place + 1: str(layers[place]) for place in places}
        if names != self._layers:
            self._layers = names
            self.factors.yaxis.ticker = FixedTicker(ticks=list(names))
            self.factors.yaxis.major_label_overrides = names

    def _show_total(self, answer: TotalView) -> None:
        self._show_ends()

    def _show_ends(self) -> None:
        """Draw the set where the whole gradient explodes, and what an explosion here says of other inputs."""
        view, total = self._answers.get("chain"), self._answers.get("total")
        if view is None or total is None:
            return
        left, right = view.x[0], view.x[-1]
        ends = [(max(low, left), min(high, right)) for low, high in total.ends if low < right and high > left]
        level = [view.threshold] * len(ends)
        _move(self._total, {"x0": [low for low, _ in ends], "x1": [high for _, high in ends], "y": level})
        middle, half = (np.mean(ends[0]) if ends else view.input), total.bound / 2.0
        _move(
            self._bound,
            {"x0": [middle - half], "x1": [middle + half], "y": [view.threshold / 2.0]}
            if np.isfinite(half)
            else {"x0": [], "x1": [], "y": []},
        )
        envelope = view.bound_from_here(total.reach)
        _move(self._envelope, {"x": view.x, "y": envelope})

    def _phases(self) -> None:
        self.phases = _figure("phases", x_axis_label="σ_w", y_axis_label="σ_b")
        self._phase = ColumnDataSource(data={"image": [], "dw": [], "dh": []})
        mapper = LinearColorMapper(palette=_FILLS, low=0, high=2)
        self.phases.image("image", 0, 0, "dw", "dh", source=self._phase, color_mapper=mapper)
        self._edge = _line(self.phases, BLUE, self._said["edge_label"])
        self._scales = _dot(self.phases, "black", self._said["point_label"])
        _legend_below(self.phases)

    def _show_phases(self, answer: Phases) -> None:
        _fit(self.phases.x_range, 0.0, answer.right)
        _fit(self.phases.y_range, 0.0, answer.top)
        _move(self._phase, {"image": [answer.phase], "dw": [answer.right], "dh": [answer.top]})
        _move(self._edge, {"x": answer.edge_w, "y": answer.edge_b})

    def show_scales(self, sigma_w: float, sigma_b: float) -> None:
        """Draw where in the phase diagram a network stands."""
        _move(self._scales, {"x": [sigma_w], "y": [sigma_b]})


def _diverging() -> list[str]:
    """Return colours from blue over white to red."""
    white = np.array([255, 255, 255])
    ends = [np.array([int(color[place : place + 2], 16) for place in (1, 3, 5)]) for color in (BLUE, RED)]
    shades = [
        *(white + (ends[0] - white) * share for share in np.linspace(1, 0, 32)),
        *(white + (ends[1] - white) * share for share in np.linspace(0, 1, 32)),
    ]
    return ["#" + "".join(f"{round(part):02x}" for part in shade) for shade in shades]
