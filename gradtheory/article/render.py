"""The article on paper and on screen: one document, one template and two filters a format."""

import html
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import latex2mathml.converter
import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

from gradtheory import plots
from gradtheory.article.document import Document

_MATH = re.compile(r"(\$\$?)(.+?)\1")  # $inline$ and $$display$$
_EMPHASIS = re.compile(r"\*(.+?)\*")
_TEX_SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    character: f"\\{character}" for character in "&%$#_{}"
}


def to_html(document: Document) -> str:
    """Return the article as one HTML page: formulas in MathML, figures in SVG, nothing fetched."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gradtheory.article"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["prose"] = lambda text: Markup(_prose(text, _html_text, _mathml))  # noqa: S704  # escaped
    environment.filters["display"] = lambda latex: Markup(_mathml(latex, display=True))  # noqa: S704  # MathML
    pictures = {name: Markup(_svg(figure)) for name, figure in figures().items()}  # noqa: S704  # Matplotlib's SVG
    return environment.get_template("article.html.jinja").render(**vars(document), figures=pictures)


def to_latex(document: Document) -> str:
    """Return the article as LaTeX for pdflatex; it includes the figures as PDF files beside it."""
    environment = jinja2.Environment(  # noqa: S701  # LaTeX has its own escapes, in the filters
        loader=jinja2.PackageLoader("gradtheory.article"),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        keep_trailing_newline=True,
    )
    environment.filters["prose"] = lambda text: _prose(text, _tex_text, _tex)
    environment.filters["display"] = lambda latex: _tex(latex, display=True)
    return environment.get_template("article.tex.jinja").render(**vars(document))


def write(document: Document, folder: Path) -> Iterator[Path]:
    """Write article.html, article.tex and the figures as SVG and PDF; yield each path."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures().items():
        for suffix in ("svg", "pdf"):
            path = folder / f"{name}.{suffix}"
            _save(figure, path, suffix)
            yield path
    for name, text in (("article.html", to_html(document)), ("article.tex", to_latex(document))):
        path = folder / name
        path.write_text(text, encoding="utf-8")
        yield path


def figures() -> dict[str, Figure]:
    """Return the three figures: the chain, the gradients over layers, the sigmoid with its interval."""
    chain, layers = (
        Figure(figsize=(8, 1.5), layout="constrained"),
        Figure(figsize=(7, 4), layout="constrained"),
    )
    sigmoid = Figure(figsize=(10, 4), layout="constrained")
    plots.chain_diagram(ax=chain.subplots())
    plots.gradient_over_layers(ax=layers.subplots())
    left, right = sigmoid.subplots(1, 2)
    plots.activation_and_slope("sigmoid", ax=left)
    plots.width_over_weight("sigmoid", ax=right)
    return {"chain": chain, "layers": layers, "sigmoid": sigmoid}


def _save(figure: Figure, target: Any, suffix: str) -> None:
    """Save without dates and random names, so that the same article is the same file."""
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}[suffix]
    with matplotlib.rc_context({"svg.hashsalt": "gradtheory"}):
        figure.savefig(target, format=suffix, metadata=undated)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    _save(figure, buffer, "svg")
    text = buffer.getvalue()
    return text[text.index("<svg") :]


def _prose(text: str, escape: Callable[[str], str], formula: Callable[[str, bool], str]) -> str:
    """Escape the words and set the formulas between dollar signs."""
    words, *formulas = _MATH.split(text)
    triples = zip(formulas[::3], formulas[1::3], formulas[2::3], strict=True)
    return escape(words) + "".join(formula(latex, mark == "$$") + escape(after) for mark, latex, after in triples)


def _html_text(text: str) -> str:
    return _EMPHASIS.sub(r"<em>\1</em>", html.escape(text))


def _tex_text(text: str) -> str:
    escaped = "".join(_TEX_SPECIAL.get(character, character) for character in text)
    return _EMPHASIS.sub(r"\\emph{\1}", escaped)


def _mathml(latex: str, display: bool = False) -> str:
    return str(latex2mathml.converter.convert(latex, display="block" if display else "inline"))


def _tex(latex: str, display: bool = False) -> str:
    return f"\\[ {latex} \\]" if display else f"${latex}$"
