"""Prose in every format: words are escaped, formulas between dollar signs set, references resolved."""

import functools
import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from gradtheory.errors import extra
from gradtheory.formulas.latex import printable, tex_text
from gradtheory.formulas.text import subscripted

_PART = re.compile(r"\$(?P<math>[^$]+)\$|@\{(?P<label>[a-z]+:[\w.-]+)\}|\*(?P<stressed>[^*$@]+)\*")
_FUNCTION = re.compile(r"<mi>([a-z]{2,})</mi>")  # tanh: an identifier has no space around it, an operator has
_PRIMED = re.compile(r"<msup>(<mi>[^<]*</mi>)<mi>(&#x0203[234];)</mi></msup>")  # a prime is raised by the font
_CONNECTIVE = re.compile(r"<m[io]>(&#x027FA;|&#x027F9;|&#x02227;|&#x02228;)</m[io]>")  # if and only if, so, and, or
_TEXT_IN_MATH = re.compile(r"\\text\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!$~])")
_SUBSCRIPT = re.compile(r"([^\W\d_])_([0-9]+|[lkn](?:[+-]1)?(?![A-Za-z]))")
_LONG_POWER = re.compile(
    r"\^\{((?:[^{}]|\{[^{}]*\})*[^{}A-Za-z0-9\\](?:[^{}]|\{[^{}]*\})*)\}"
)  # L - 1, not 10 or \prime
_POWER = re.compile(r"\^([0-9])(?![\w.])")
_RELATION = re.compile(r"\s*([<>=≤≥≈≠∈])\s*")  # has spaces around it


@dataclass(frozen=True)
class Style:
    """How one format writes words, formulas, references and emphasis."""

    words: Callable[[str], str]
    math: Callable[[str], str]
    reference: Callable[[str], str]
    emphasis: Callable[[str], str]

    def prose(self, text: str) -> str:
        """Return prose in this format."""
        parts, end = [], 0
        for match in _PART.finditer(text):
            parts.append(self.words(text[end : match.start()]))
            if match["math"]:
                parts.append(self.math(match["math"]))
            elif match["label"]:
                parts.append(self.reference(match["label"]))
            else:
                parts.append(self.emphasis(self.words(match["stressed"])))
            end = match.end()
        return "".join([*parts, self.words(text[end:])])


def html_text(text: str) -> str:
    """Return words as HTML."""
    return html.escape(printable(text))


def markdown_text(text: str) -> str:
    """Return words as Markdown."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", printable(text))


def mathml(latex: str, *, display: bool = False, large: bool = False) -> str:
    """Return a formula as MathML, inline, in a line of its own, or inline as large as there.

    The converter copies the text in a formula as it stands, so that is escaped here.
    """
    with extra("documents"):
        import latex2mathml.converter
    escaped = _TEXT_IN_MATH.sub(lambda match: html.escape(match[0], quote=False), latex)
    converted = str(latex2mathml.converter.convert(escaped, display="block" if display else "inline"))
    if large:
        converted = converted.replace("<math ", '<math displaystyle="true" ', 1)
    converted = _PRIMED.sub(r'<mrow>\1<mo form="postfix" lspace="0" rspace="0">\2</mo></mrow>', converted)
    converted = _CONNECTIVE.sub(r'<mo lspace="0.5em" rspace="0.5em">\1</mo>', converted)
    return _FUNCTION.sub(r'<mo form="prefix" lspace="0.17em" rspace="0.17em">\1</mo>', converted)


def plain_math(latex: str) -> str:
    """Return a formula as plain text."""
    bracketed = _LONG_POWER.sub(r"^{(\1)}", latex)
    written = _SUBSCRIPT.sub(lambda match: subscripted(match[1], match[2]), _text_of_latex()(bracketed))
    written = _POWER.sub(lambda match: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(match[1])], written)
    written = written.replace("”", "''")  # of primes, which the converter takes for quotation marks
    return _RELATION.sub(r" \1 ", written).strip()


@functools.cache
def _text_of_latex() -> Callable[[str], str]:
    with extra("documents"):
        from pylatexenc.latex2text import LatexNodes2Text
    return LatexNodes2Text(math_mode="text", keep_comments=True).latex_to_text  # type: ignore[no-any-return]  # untyped


LATEX = Style(
    tex_text, lambda latex: f"${latex}$", lambda label: rf"\eqref{{{label}}}", lambda text: rf"\emph{{{text}}}"
)
HTML = Style(
    html_text,
    mathml,
    lambda label: f'<a href="#{label}">({label.partition(":")[2]})</a>',
    lambda text: f"<em>{text}</em>",
)
MARKDOWN = Style(
    markdown_text, lambda latex: f"${latex}$", lambda label: f"({label.partition(':')[2]})", lambda text: f"*{text}*"
)
TEXT = Style(printable, plain_math, lambda label: f"({label.partition(':')[2]})", lambda text: text)
