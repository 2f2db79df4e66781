"""A Sphinx extension: formulas as MathML, which needs no script, no font and no network.

The package's article is set by the same converter.
"""

import html
from typing import Any

import latex2mathml.converter
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

_LOG = logging.getLogger(__name__)


def _convert(node: nodes.Element, display: str) -> str:
    latex = " ".join(node.astext().split())
    mathml = str(latex2mathml.converter.convert(latex, display=display))
    if "\\" in html.unescape(mathml).replace("&#x0005C;", ""):  # the converter passes on what it does not know
        _LOG.warning("a command in this formula has no MathML: %s", latex, location=node)
    return mathml


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_convert(node, "inline"))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{_convert(node, "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
