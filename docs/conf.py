"""How Sphinx builds these pages: `make docs`."""

import re
import sys
from pathlib import Path
from typing import Any

import gradtheory
from gradtheory.cli import page
from gradtheory.pages import depth, gallery, literature

sys.path.append(str(Path(__file__).parent / "_ext"))

project = "gradtheory"
author = copyright = "The gradtheory developers"  # Sphinx's name
version = release = gradtheory.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml"]
exclude_patterns = ["_ext"]
html_static_path = ["_static"]
html_css_files = ["wrap.css"]
html_theme = "furo"
html_title = f"gradtheory {version}"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say it in the words of the field
napoleon_google_docstring = False
napoleon_use_ivar = True  # attributes in the class's table, not once more below it
napoleon_use_rtype = False

_LITERAL = re.compile(r"(``.*?``)")
_SPECIAL = re.compile(r"(?<!\\)([|*])")


def _keep_bars(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Escape the bars of |w| and the stars of z**2, which mean something else in reStructuredText, outside code."""
    in_example = False
    for number, line in enumerate(lines):
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        if not in_example:
            parts = _LITERAL.split(line)
            parts[::2] = [_SPECIAL.sub(r"\\\1", part) for part in parts[::2]]
            lines[number] = "".join(parts)


def _compute_pages(app: Any) -> None:
    """Compute the pages on depth, the command line and published numbers, and the gallery, before any page is read."""
    folder = Path(app.srcdir)
    page.write(folder)
    for _ in (*depth.write(folder), *gallery.write(folder / "gallery"), *literature.write(folder)):
        pass


def setup(app: Any) -> None:
    """Connect what the docstrings need, and the pages that are computed."""
    app.connect("builder-inited", _compute_pages)
    app.connect("autodoc-process-docstring", _keep_bars, priority=400)  # before napoleon writes markup of its own
