"""The page in words, with its numbers filled in."""

import functools
import math
from collections.abc import Iterator
from pathlib import Path

import sympy

from gradtheory.activations import activation_names
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.chains.chain import Chain
from gradtheory.document.files import drawn, read_folder, write_file
from gradtheory.explosion import widest_explosion
from gradtheory.explosion.depth import DepthBound, depth_bound, widest_total_explosion
from gradtheory.pages import page as pages
from gradtheory.pages.depth import figures, sample, search, wide_layers

_FIGURES = {"line": figures.line, "limits": figures.limits, "elsewhere": figures.elsewhere}
_BOUNDED_DEPTHS = (1, 2, 3, 4, 5, 8)
_TWO_BEFORE_ONE = (("20.927", "4", "1.895"), ("1177.48", "8", "1.81"))  # A, d, and the x up to which it is wide
_SKIP = ("87.67", "-11.679", "0.33712")  # A, v, w


def page() -> str:
    """Return the page on depth as Markdown; its figures are the files that `write` puts beside it."""
    return _page()


@functools.cache
def _page() -> str:
    bounds = [depth_bound(name) for name in activation_names()]
    sets = sample.explosions(sample.draw(figures.COUNT))
    shares = sets.threshold * (sets.right - sets.left) / float(depth_bound("sigmoid").value or 1)
    widest = widest_explosion("sigmoid")
    searched = [[_down(each, 4) for each in search.lower_bounds(name)] for name in search.SEARCHED]
    return pages.page(
        "depth.md.jinja",
        rows=[_row(bound) for bound in bounds if bound.factor is not None],
        unbounded=[bound.activation.name for bound in bounds if bound.is_in_class_n and bound.factor is None],
        others=[bound.activation.name for bound in bounds if not bound.is_in_class_n],
        count=figures.COUNT,
        share=_down(float(shares.max()), 2),
        searched=search.SEARCHED,
        by_depth=list(zip(search.DEPTHS, zip(*searched, strict=True), strict=True)),
        limits=[decimal(depth_bound(name).value, 12) for name in search.SEARCHED],
        bounded=[(depth, *(_widest(weight, depth) for weight in (10, widest.weight))) for depth in _BOUNDED_DEPTHS],
        widest_weight=decimal(widest.weight, 12),
        layers=[(layer, wide_layers.proven_width(wide_layers.layer(layer))) for layer in wide_layers.LAYERS],
        before_one=[
            (gain, shift, wide_layers.proven_width(wide_layers.two_before_one(gain, shift, x)))
            for gain, shift, x in _TWO_BEFORE_ONE
        ],
        skip=(*_SKIP, wide_layers.proven_width(wide_layers.skip(*_SKIP))),
        sigmoid=_down(float(widest_explosion("sigmoid").width), 12),
    )


def _row(bound: DepthBound) -> dict[str, str]:
    return {
        "name": bound.activation.name,
        "one": decimal(widest_explosion(bound.activation).width, 10),
        "bound": decimal(bound.value, 10),
        "widens": f"yes, × {decimal(bound.factor, 6)}" if bound.widens else "no",
        "reason": bound.reason.replace("|", r"\|"),
    }


def _widest(weight: sympy.Expr | int, depth: int) -> str:
    """Return the greatest c·width of a chain of sigmoids of which all weights but the first are given."""
    return decimal(widest_total_explosion(Chain(depth), [weight] * (depth - 1)).value, 13)


def _down(number: float, decimals: int) -> str:
    """Return a lower bound in so many decimals, rounded down."""
    return f"{math.floor(number * 10**decimals) / 10**decimals:.{decimals}f}"


def write(folder: Path) -> Iterator[Path]:
    """Write depth.md, and its figures below images; yield each path."""
    folder = read_folder(folder, "folder")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for name, draw in _FIGURES.items():
        path = folder / "images" / f"depth_{name}.svg"
        yield write_file(path, drawn(draw(), "svg"))
    yield write_file(folder / "depth.md", page())
