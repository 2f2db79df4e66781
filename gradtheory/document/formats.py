"""The formats: LaTeX, HTML, Markdown, plain text and Jupyter notebooks, each a template or a walk over the blocks."""

import html
import re
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gradtheory.document.files import drawn, write_file
from gradtheory.document.font import font_of
from gradtheory.document.mathml import in_a_line, mathml
from gradtheory.document.model import Code, Document, Figure, Formula, Heading, Paragraph, Table
from gradtheory.document.prose import LATEX, MARKDOWN, TEXT, html_prose, html_text, markdown_text
from gradtheory.document.wrapping import columns, filled
from gradtheory.errors import extra
from gradtheory.formulas.latex import tex_text

if TYPE_CHECKING:
    import nbformat

_WIDTH = 100
_FONT = "font-of-this-page"  # what the template has in its place
_MARKS = re.compile(r'\bid="|href="#|url\(#')
_MATHS = re.compile(r"<math.*?</math>", re.DOTALL)


def to_latex(document: Document) -> str:
    """Return a document as LaTeX: for pdflatex in English, for xelatex with ctex in Chinese."""
    with extra("documents"):
        import jinja2
    environment = jinja2.Environment(  # noqa: S701  # LaTeX has its own escapes, in the filters
        loader=jinja2.PackageLoader("gradtheory.document"),
        undefined=jinja2.StrictUndefined,
        variable_start_string="<<",
        variable_end_string=">>",
        block_start_string="<%",
        block_end_string="%>",
        comment_start_string="<#",
        comment_end_string="#>",
        keep_trailing_newline=True,
    )
    environment.filters |= {"prose": LATEX.prose, "words": tex_text}
    return environment.get_template("document.tex.jinja").render(document=document, kind=_kind)


def to_html(document: Document) -> str:
    """Return a document as one HTML page: formulas in MathML, figures in SVG, nothing fetched."""
    with extra("documents"):
        import jinja2
        from markupsafe import Markup
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gradtheory.document"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "prose": lambda text: Markup(html_prose(text)),  # noqa: S704  # its words are escaped
        "words": lambda text: Markup(html_text(text)),  # noqa: S704  # likewise
        "display": lambda latex: Markup(in_a_line(latex)),  # noqa: S704  # MathML
        "inline": lambda latex: Markup(mathml(latex)),  # noqa: S704  # likewise
        "large": lambda latex: Markup(mathml(latex, large=True)),  # noqa: S704  # likewise
    }
    pictures = {name: Markup(_svg(name, draw(document.lang))) for name, draw in document.figures.items()}  # noqa: S704  # Matplotlib's
    page = environment.get_template("document.html.jinja").render(document=document, kind=_kind, pictures=pictures)
    return page.replace(_FONT, font_of("".join(map(html.unescape, _MATHS.findall(page)))), 1)


def to_markdown(document: Document) -> str:
    """Return a document as Markdown, with formulas between double dollar signs."""
    return "\n\n".join([*_markdown(document)]) + "\n"


def to_text(document: Document) -> str:
    """Return a document as plain text."""
    title = TEXT.words(document.title)
    parts = [f"{title}\n{'=' * columns(title)}", filled(TEXT.prose(document.subtitle), _WIDTH)]
    for block in document.blocks:
        match block:
            case Heading():
                words = TEXT.prose(block.text)
                parts.append(f"{words}\n{'-' * columns(words)}")
            case Paragraph():
                parts.append(filled(TEXT.prose(block.text), _WIDTH))
            case Formula():
                parts.append(_plain_formula(block))
            case Table():
                parts.append(_plain_table(block))
            case Code():
                parts.append(textwrap.indent(block.source, "    "))
            case Figure():
                parts.append(f"[{TEXT.prose(block.caption)}]")
    return "\n\n".join(filter(None, parts)) + "\n"


def to_notebook(document: Document) -> "nbformat.NotebookNode":
    """Return a document as a Jupyter notebook; its code cells run, and check what is shown."""
    with extra("documents"):
        from nbformat import v4
    cells: list[Any] = []
    words: list[str] = list(_markdown(replace(document, blocks=())))
    for block in document.blocks:
        if isinstance(block, Code):
            cells += [v4.new_markdown_cell("\n\n".join(words)), v4.new_code_cell(block.source)]
            words = []
        else:
            words += _markdown_block(block)
    cells += [v4.new_markdown_cell("\n\n".join(words))] if words else []
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"  # nbformat's own are random, and the same document is to be the same file
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return v4.new_notebook(cells=cells, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})


def save_figures(document: Document, folder: Path, suffix: str) -> list[Path]:
    """Write the figures of a document into a folder, and return their paths."""
    paths = []
    for name, draw in document.figures.items():
        paths.append(folder / f"{name}.{suffix}")
        write_file(paths[-1], drawn(draw(document.lang), suffix))
    return paths


def _markdown(document: Document) -> list[str]:
    title = MARKDOWN.prose(document.heading) or markdown_text(document.title)
    parts = [f"# {title}", MARKDOWN.prose(document.subtitle)]
    for block in document.blocks:
        parts += _markdown_block(block)
    return [part for part in parts if part]


def _markdown_block(block: Any) -> list[str]:
    match block:
        case Heading():
            return [f"## {MARKDOWN.prose(block.text)}"]
        case Paragraph():
            return [MARKDOWN.prose(block.text)]
        case Formula():
            return _markdown_formula(block)
        case Table():
            width = len(block.rows[0])
            rows = [
                "| " + " | ".join(map(MARKDOWN.prose, row)) + " |" for row in (block.head or ("",) * width, *block.rows)
            ]
            return ["\n".join([rows[0], "|" + "---|" * width, *rows[1:]])]
        case Code():
            return [f"```python\n{block.source}\n```"]
    return [f"![]({block.name}.svg)", MARKDOWN.prose(block.caption)]


def _markdown_formula(formula: Formula) -> list[str]:
    rows = r" \\ ".join(f"{left} &{right}" for left, right in formula.rows)
    inside = rf"\begin{{aligned}} {rows} \end{{aligned}}" if len(formula.rows) > 1 else " ".join(formula.rows[0])
    condition = rf" \qquad \left({formula.condition}\right)" if formula.condition else ""
    tag = rf" \tag{{{formula.number}}}" if formula.number else ""
    badge = f" (*{markdown_text(formula.badge)}*)" if formula.badge else ""
    return [
        f"$$\n{inside.strip()}{condition}{tag}\n$$",
        *([MARKDOWN.prose(formula.reason) + badge] if formula.reason else []),
    ]


def _plain_formula(formula: Formula) -> str:
    number = f"({formula.number})" if formula.number else ""
    lines = [
        line for row in formula.plain().split("\n") for line in textwrap.wrap(row, _WIDTH - 8, break_long_words=False)
    ]
    body = textwrap.indent("\n".join(lines), " " * 8)
    first = f"{number:<8}" + body[8:]
    notes = [f"{TEXT.prose(formula.reason)} [{formula.badge}]"] if formula.reason else []
    return "\n".join([first, *(textwrap.indent(filled(note, _WIDTH - 12), " " * 12) for note in notes)])


def _plain_table(table: Table) -> str:
    """Return the rows of a table in columns."""
    rows = [[TEXT.prose(cell) for cell in row] for row in (*((table.head,) if table.head else ()), *table.rows)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines[:1], *(["-" * len(lines[0])] if table.head else []), *lines[1:]])


def _kind(block: Any) -> str:
    return type(block).__name__.lower()


def _svg(name: str, figure: Any) -> str:
    """Return a figure with marks of its own: two on a page must not have the same."""
    text = drawn(figure, "svg").decode()
    return _MARKS.sub(rf"\g<0>{name}-", text[text.index("<svg") :])
