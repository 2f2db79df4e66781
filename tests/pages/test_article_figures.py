"""The figures of the article can be read as they are printed: 95 % of a line of 160 mm wide."""

import re

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Annotation, Text

from gradtheory.document.formats import to_html
from gradtheory.document.messages import LANGUAGES
from gradtheory.document.model import Document, Figure
from gradtheory.pages.article import figures

_INCHES = 0.95 * 160 / 25.4
_SUBSCRIPT = 0.7  # of a letter, in Matplotlib's formulas


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("draw", [figures.chain, figures.layers, figures.sigmoid], ids=lambda draw: draw.__name__)
def test_letters_have_seven_points(draw, lang):
    figure = draw(lang)
    scale = _INCHES / figure.get_figwidth()
    for text in figure.findobj(Text):
        smallest = _SUBSCRIPT if any(mark in text.get_text() for mark in ("_", "^", "frac")) else 1.0
        assert not text.get_text() or smallest * text.get_fontsize() * scale > 6.9, text.get_text()


def test_arrows_of_the_chain_touch_its_nodes():
    figure = figures.chain()
    FigureCanvasAgg(figure).draw()
    (ax,) = figure.axes
    nodes = [text.get_bbox_patch().get_window_extent() for text in ax.texts if text.get_bbox_patch() is not None]
    arrows = [text.arrow_patch for text in ax.texts if isinstance(text, Annotation)]
    assert (len(nodes), len(arrows)) == (5, 8)
    for arrow in arrows:
        along = arrow.get_path().vertices[:, 0]
        ends = np.array([along.min(), along.max()])
        sides = [side for node in nodes for side in (node.x0, node.x1)]
        assert np.abs(np.subtract.outer(ends, sides)).min(axis=1).max() < 3.0  # pixels; a circle is narrower above


def test_figures_on_one_page_have_marks_of_their_own():
    drawn = {name: lambda _lang: figures.sigmoid() for name in ("one", "other")}
    document = Document("Figures", "", "en", tuple(Figure(name, "The same.") for name in drawn), drawn)
    page = to_html(document)
    marks = re.findall(r'\bid="([^"]*)', page)
    assert len(marks) == len(set(marks))
    assert set(re.findall(r'(?:href="#|url\(#)([^")]*)', page)) <= set(marks)
    assert any(mark.startswith("other-") for mark in marks)
