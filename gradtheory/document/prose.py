"""Prose in every format: words are escaped, formulas between dollar signs set, references resolved."""

import functools
import html
import re
from collections.abc import Callable
from dataclasses import dataclass

from gradtheory.document.mathml import mathml
from gradtheory.errors import extra
from gradtheory.formulas.latex import printable, tex_text
from gradtheory.formulas.text import subscripted

_PART = re.compile(r"\$(?P<math>[^$]+)\$|@\{(?P<label>[a-z]+:[\w.-]+)\}|\*(?P<stressed>[^*$@]+)\*")
_MARKED = re.compile(r"(<math(?:(?!</math>).)*</math>[.,;:!?)，。；：！？）、]+)")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!$~])")
_SUBSCRIPT = re.compile(r"([^\W\d_])_([0-9]+|[lkn](?:[+-]1)?(?![A-Za-z]))")
_FUNCTION_NAME = r"\\(?:sinh|cosh|tanh|exp|log|ln|sin|cos|tan|sup|max|min)(?![A-Za-z])"
_BEFORE_FUNCTION = re.compile(rf"(?<=[\w)}}])(?={_FUNCTION_NAME})")  # TeX leaves a space there
_FUNCTION = re.compile(rf"({_FUNCTION_NAME}) ?(?=[^\W_]|\\(?!left|to|in|cdot)[A-Za-z])")  # and there
_LONG_POWER = re.compile(
    r"\^\{((?:[^{}]|\{[^{}]*\})*[^{}A-Za-z0-9\\](?:[^{}]|\{[^{}]*\})*)\}"
)  # L - 1, not 10 or \prime
_POWER = re.compile(r"\^([0-9])(?![0-9.])")
_NAME_IN_TEX = re.compile(r"[a-z]+/[a-z]+\.v|[a-zA-Z]+(?:\\_[a-zA-Z]+){2,}")  # of a proof: too long not to break
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


def html_prose(text: str) -> str:
    """Return prose as HTML, in which no line breaks between a formula and the mark behind it."""
    return _MARKED.sub(r'<span class="together">\1</span>', HTML.prose(text))


def html_text(text: str) -> str:
    """Return words as HTML."""
    return html.escape(printable(text))


def markdown_text(text: str) -> str:
    """Return words as Markdown."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", printable(text))


def tex_prose(text: str) -> str:
    """Return words as LaTeX in which the names of proofs may break."""
    return _NAME_IN_TEX.sub(lambda name: re.sub(r"(\\_|/)", r"\1\\allowbreak{}", name[0]), tex_text(text))


def plain_math(latex: str) -> str:
    """Return a formula as plain text."""
    bracketed = _LONG_POWER.sub(r"^{(\1)}", _FUNCTION.sub(r"\1\\ ", _BEFORE_FUNCTION.sub(r"\\ ", latex)))
    written = _SUBSCRIPT.sub(lambda match: subscripted(match[1], match[2]), _text_of_latex()(bracketed))
    written = _POWER.sub(lambda match: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(match[1])], written)
    written = written.replace("_*", "∗").replace("”", "''")  # of primes, which the converter takes for quotation marks
    return _RELATION.sub(r" \1 ", written).strip()


@functools.cache
def _text_of_latex() -> Callable[[str], str]:
    with extra("documents"):
        from pylatexenc.latex2text import LatexNodes2Text
    return LatexNodes2Text(math_mode="text", keep_comments=True).latex_to_text  # type: ignore[no-any-return]  # untyped


LATEX = Style(
    tex_prose, lambda latex: f"${latex}$", lambda label: rf"\eqref{{{label}}}", lambda text: rf"\emph{{{text}}}"
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
