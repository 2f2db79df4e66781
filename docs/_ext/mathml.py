"""A Sphinx extension: formulas as MathML, which needs no script and no network.

The package's article is set by the same converter.
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

from gradtheory.document.mathml import mathml

_LOG = logging.getLogger(__name__)


def _convert(node: nodes.Element, *, display: bool) -> str:
    latex = " ".join(node.astext().split())
    converted = mathml(latex, display=display)
    if "\\" in converted:  # the converter passes on what it does not know
        _LOG.warning("a command in this formula has no MathML: %s", latex, location=node)
    return converted


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(_convert(node, display=False))
    raise nodes.SkipNode


def _display(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{_convert(node, display=True)}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the renderer; `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
