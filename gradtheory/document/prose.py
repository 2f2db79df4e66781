"""Prose in every format: words are escaped, formulas between dollar signs set, references resolved."""

import functools
import html
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradtheory.document.mathml import mathml
from gradtheory.errors import extra
from gradtheory.formulas.latex import printable, tex_text
from gradtheory.formulas.text import subscripted

_PART = re.compile(
    r"\$(?P<math>[^$]+)\$|@\{(?P<label>[a-z]+:[\w.-]+)\}|\*(?P<stressed>[^*$@]+)\*|`(?P<code>[^`]+)`"
    r"|\[(?P<linked>[^\]$]+)\]\((?P<place>[a-z]+:\w+)\)"
)
_FORMULA, _AFTER = r"<math(?:(?!</math>).)*</math>", "[.,;:!?)，。；：！？）、]"
_MARKED = re.compile(rf"([(（“《]+{_FORMULA}{_AFTER}*|{_FORMULA}{_AFTER}+)")
_MARKDOWN_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!$~])")
_SUBSCRIPT = re.compile(r"([^\W\d_])_([0-9]+|[lkn](?:[+-]1)?(?![A-Za-z]))")
_FUNCTION_NAME = r"\\(?:sinh|cosh|tanh|exp|log|ln|sin|cos|tan|sup|max|min)(?![A-Za-z])"
_BEFORE_FUNCTION = re.compile(rf"(?<=[\w)}}])(?={_FUNCTION_NAME})")  # TeX leaves a space there
_FUNCTION = re.compile(rf"({_FUNCTION_NAME}) ?(?=[^\W_]|\\(?!left|to|in|cdot)[A-Za-z])")  # and there
_INDEX = re.compile(r"_\{(\w) ([+-]) (\w)\}")  # l - 1, in one word
_LONG = re.compile(r"[^{}A-Za-z0-9\\]|\\frac")  # L - 1, not 10 or \prime
_POWER = re.compile(r"\^([0-9])(?![0-9.])")
_LONGEST_NAME = 30  # letters of one that is not broken
_BARE_ROOT = re.compile(r"√\((\d+|[^\W\d])\)")  # formulas print √2 and √π
_BRACKETS = r"\((?:[^()]|\([^()]*\))*\)"
_LETTER = r"[∂d]?[^\W\d](?:_\w+)?['”]*"
_ATOM = (
    rf"(?:√?(?:[\d.]+|{_BRACKETS})|√?{_LETTER}(?:{_BRACKETS})?|[a-z]+{_BRACKETS}|\|[^|]*\||∞)(?:\^(?:\w+|{_BRACKETS}))?"
)
_PRODUCT = rf"{_ATOM}(?:(?: |(?<=\d)(?=[^\W\d]|√)){_ATOM})*"
_RELATION = re.compile(r"\s*([<>=≤≥≈≠∈])\s*")  # has spaces around it


@dataclass(frozen=True)
class Style:
    """How one format writes words, formulas, references, emphasis, code and links to headings and figures."""

    words: Callable[[str], str]
    math: Callable[[str], str]
    reference: Callable[[str], str]
    emphasis: Callable[[str], str]
    code: Callable[[str], str]
    link: Callable[[str, str], str]

    def prose(self, text: str) -> str:
        """Return prose in this format."""
        parts, end = [], 0
        for match in _PART.finditer(text):
            parts.append(self.words(text[end : match.start()]))
            if match["math"]:
                parts.append(self.math(match["math"]))
            elif match["label"]:
                parts.append(self.reference(match["label"]))
            elif match["code"]:
                parts.append(self.code(match["code"]))
            elif match["place"]:
                parts.append(self.link(self.words(match["linked"]), match["place"]))
            else:
                parts.append(self.emphasis(self.prose(match["stressed"])))
            end = match.end()
        return "".join([*parts, self.words(text[end:])])


def html_prose(text: str) -> str:
    """Return prose as HTML, in which no line breaks between a formula and the marks beside it."""
    return _MARKED.sub(r'<span class="together">\1</span>', HTML.prose(text))


def html_text(text: str) -> str:
    """Return words as HTML."""
    return html.escape(printable(text))


def markdown_text(text: str) -> str:
    """Return words as Markdown."""
    return _MARKDOWN_SPECIAL.sub(r"\\\1", printable(text))


def _tex_code(text: str) -> str:
    """Return code as LaTeX, in which the long name of a proof may break."""
    written = tex_text(text)
    if len(text) > _LONGEST_NAME:
        written = written.replace(r"\_", r"\_\allowbreak{}")
    return rf"\texttt{{{written}}}"


def _html_code(text: str) -> str:
    """Return code as HTML, of which no word breaks."""
    words = (f'<span class="together">{html_text(word)}</span>' for word in text.split())
    return f"<code>{' '.join(words)}</code>"


def plain_math(latex: str) -> str:
    """Return a formula as plain text."""
    spaced = _FUNCTION.sub(r"\1\\ ", _BEFORE_FUNCTION.sub(r"\\ ", _INDEX.sub(r"_{\1\2\3}", latex)))
    text = _text_of_latex()(_with_brackets(spaced))
    written = _SUBSCRIPT.sub(lambda match: subscripted(match[1], match[2]), text)
    written = _POWER.sub(lambda match: "⁰¹²³⁴⁵⁶⁷⁸⁹"[int(match[1])], written)
    written = written.replace("_*", "∗").replace("”", "''")  # of primes, which the converter takes for quotation marks
    return _RELATION.sub(r" \1 ", _BARE_ROOT.sub(r"√\1", written)).strip()


def _with_brackets(latex: str) -> str:
    """Return a formula with long exponents in brackets, those within exponents too."""
    before, power, rest = latex.partition("^{")
    if not power:
        return latex
    depth, end = 1, 0
    while depth and end < len(rest):
        depth += {"{": 1, "}": -1}.get(rest[end], 0)
        end += 1
    inside, after = rest[: end - 1], _with_brackets(rest[end:])
    exponent = _with_brackets(inside)
    return f"{before}^{{({exponent})}}{after}" if _LONG.search(inside) else f"{before}^{{{exponent}}}{after}"


@functools.cache
def _text_of_latex() -> Callable[[str], str]:
    with extra("documents"):
        from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
    macros = get_default_latex_context_db()
    own = [MacroTextSpec("frac", simplify_repl=_fraction), MacroTextSpec("sqrt", simplify_repl=_root)]
    macros.add_context_category("gradtheory", prepend=True, macros=own)
    return LatexNodes2Text(macros, math_mode="text", keep_comments=True).latex_to_text  # type: ignore[no-any-return]  # untyped


def _fraction(node: Any, l2tobj: Any) -> str:
    """Return a fraction in one line: what a line would read otherwise without brackets has them."""
    over, under = (l2tobj.nodelist_to_text([part]).strip() for part in node.nodeargd.argnlist)
    return f"{_bracketed(over, _PRODUCT)}/{_bracketed(under, _ATOM)}"


def _root(node: Any, l2tobj: Any) -> str:
    """Return a root in one line, with its degree."""
    degree, radicand = (l2tobj.nodelist_to_text([part]).strip() if part else "" for part in node.nodeargd.argnlist)
    return f"{_bracketed(radicand, _ATOM)}^(1/{_bracketed(degree, _ATOM)})" if degree else f"√({radicand})"


def _bracketed(text: str, unless: str) -> str:
    return text if re.fullmatch(unless, text) else f"({text})"


LATEX = Style(
    tex_text,
    lambda latex: f"${latex}$",
    lambda label: rf"\eqref{{{label}}}",
    lambda text: rf"\emph{{{text}}}",
    _tex_code,
    lambda text, place: rf"\hyperref[{place}]{{{text}}}",
)
HTML = Style(
    html_text,
    mathml,
    lambda label: f'<a href="#{label}">({label.partition(":")[2]})</a>',
    lambda text: f"<em>{text}</em>",
    _html_code,
    lambda text, place: f'<a href="#{place}">{text}</a>',
)
MARKDOWN = Style(
    markdown_text,
    lambda latex: f"${latex}$",
    lambda label: f"({label.partition(':')[2]})",
    lambda text: f"*{text}*",
    lambda text: f"`{text}`",
    lambda text, _: text,
)
TEXT = Style(
    printable,
    plain_math,
    lambda label: f"({label.partition(':')[2]})",
    lambda text: text,
    lambda text: text,
    lambda text, _: text,
)
