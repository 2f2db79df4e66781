"""The colours, the words of labels, and the Axes to draw on."""

import contextlib
import functools
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from gradtheory.arithmetic.brief import with_power
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import read_finite_array, read_nonnegative_float, read_positive_float
from gradtheory.arithmetic.kinds import read_items, read_kind
from gradtheory.document.messages import LANGUAGES, words
from gradtheory.errors import InvalidArgument, extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 10_000  # of a curve
_LEAST, _MOST = 1e-140, 1e140  # what is drawn
_HIGHEST = 1e200  # of a logarithmic scale
BLUE, RED, GREY, VIOLET = "#1f5fa8", "#c0392b", "#7f8c8d", "#7d3c98"

_HAN = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_USUAL = (  # faces of screens and books first, of those that systems and free collections bring
    *("Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Microsoft YaHei", "PingFang SC", "Heiti SC"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Noto Serif CJK SC", "Source Han Serif SC", "SimSun"),
    *("AR PL UMing CN", "AR PL SungtiL GB"),
)


def shown(number: float, digits: int = 6) -> str:
    """Return a number with so many digits, for a formula."""
    return with_power(f"{number:.{digits}g}")


def axes_or_new(ax: "Axes | None") -> "Axes":
    """Return the Axes given, or those of a new figure.

    Raises
    ------
    MissingDependency
        If Matplotlib is not installed.
    InvalidArgument
        If anything else is given.

    """
    with extra("plots"):
        from matplotlib import pyplot as plt
        from matplotlib.axes import Axes
    if ax is None:
        return plt.subplots()[1]
    return read_kind(ax, "ax", Axes, "must be Axes of Matplotlib, such as plt.subplots()[1]")


def words_of_labels(lang: str) -> Mapping[str, str]:
    """Return the words of labels: Chinese where the machine has a font for it, or English."""
    one_of(lang, "lang", LANGUAGES)
    return _labels(lang if lang == "en" or _chinese_font() is not None else "en")


def legible(ax: "Axes") -> "Axes":
    """Return the Axes, with Chinese labels in a font that has their characters."""
    with extra("plots"):
        from matplotlib.text import Text
    for text in ax.findobj(Text):
        if _HAN.search(text.get_text()) and (font := _chinese_font()) is not None:
            families = [
                "sans-serif",
                font,
            ]  # Latin letters and digits as elsewhere; in a formula one font has all words
            text.set_fontfamily(families[::-1] if "$" in text.get_text() else families)
    return ax


def _labels(lang: str) -> Mapping[str, str]:
    catalogue = words(lang)
    return {**catalogue["optimisers"], **catalogue["plots"]}


@functools.cache
def _chinese_font() -> str | None:
    """Return the name of a font with every Chinese character of the labels; None where none is installed."""
    with extra("plots"):
        from matplotlib.font_manager import findSystemFonts, fontManager, get_font
    needed = {ord(character) for character in "".join(_labels("zh").values()) if _HAN.match(character)}
    complete: dict[str, str] = {}
    for path in sorted(findSystemFonts()):  # fontManager may have been filled before a font was installed
        with contextlib.suppress(RuntimeError):  # no font after all
            font = get_font(path)
            glyphs = font.get_charmap()
            if len({glyphs.get(code) for code in needed} - {None}) == len(needed):  # not one glyph for many
                complete.setdefault(font.family_name, path)
    if not complete:
        return None
    name = next((usual for usual in _USUAL if usual in complete), min(complete))
    fontManager.addfont(complete[name])
    return name


def read_curves(values: Any, name: str) -> list[float]:
    """Return positive numbers, one for each curve."""
    rule = "must be a sequence of positive numbers, one for each curve, such as (0.5, 1.0)"
    items = read_items(values, name, rule)
    if not items:
        raise InvalidArgument(name, values, rule)
    return [read_extent(each, name) for each in items]


def read_extent(value: Any, name: str, *, may_be_0: bool = False) -> float:
    """Return a positive number of a size that Matplotlib, which multiplies and squares, can draw."""
    number = read_nonnegative_float(value, name) if may_be_0 else read_positive_float(value, name)
    if not (number == 0.0 or _LEAST <= number <= _MOST):
        raise InvalidArgument(name, value, f"must lie between {_LEAST:g} and {_MOST:g} to be drawn, such as 1")
    return number


def log_sizes(ax: "Axes", sizes: np.ndarray) -> None:
    """Take a logarithmic scale of sizes; it ends where Matplotlib's margins and marks would leave float64."""
    shown = sizes[np.isfinite(sizes) & (sizes > 0.0)]
    if shown.max(initial=1.0) > _HIGHEST:
        ax.set_ylim(shown.min(initial=1.0) / 10.0, _HIGHEST)
    ax.set_yscale("log")


def read_axis(values: Any, name: str, *, least: float | None = None) -> np.ndarray:
    """Return the numbers along an axis: increasing, and positive or, with `least`, no less than it."""
    kind = "positive" if least is None else "non-negative"
    numbers = read_finite_array(values, name)
    if (
        numbers.ndim != 1
        or len(numbers) < 2
        or (np.diff(numbers) <= 0.0).any()
        or not (numbers[0] > 0.0 if least is None else numbers[0] >= least)
    ):
        raise InvalidArgument(name, values, f"must be two or more increasing {kind} numbers, such as np.linspace(1, 2)")
    if numbers[-1] > _MOST:
        raise InvalidArgument(name, values, f"must not exceed {_MOST:g} to be drawn, such as np.linspace(1, 2)")
    return numbers
