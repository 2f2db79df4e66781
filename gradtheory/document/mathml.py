"""Formulas in MathML, with the space about operators that a careful typesetter leaves.

A converter turns LaTeX into elements; what it leaves to the browser's guess, and browsers guess wrongly, is said here.
"""

import html
import itertools
import re
from typing import TYPE_CHECKING

from gradtheory.errors import extra

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_DOT, _OPENS, _CLOSES = r"\cdot ", frozenset({"{", r"\left", r"\begin"}), frozenset({"}", r"\right", r"\end"})
_BRACKET_OR_DOT = re.compile(r"(\\cdot |\{|\}|\\left(?![a-z])|\\right(?![a-z])|\\begin|\\end)")
_FEWEST_TO_BREAK = 4  # factors
_TEXT_IN_MATH = re.compile(r"\\text\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}")
_NAME = re.compile(r"[a-z]{2,}")  # tanh: an identifier has no space around it, an operator has
_GREEK, _BOLD_ALPHA = re.compile("[α-ω]"), 0x1D736  # in bold italics
_CAPITAL = re.compile("[Α-Ω]")
_LIMITS = frozenset({"lim", "sup", "inf", "max", "min"})  # in a line of its own the index stands below
_LETTERS = frozenset("∂∞∅∇")  # which the converter takes for operators
_SIGNS = frozenset("+−±∓")
_OPENING = frozenset("([{=≈<>≤≥≠∈→↦⇔⟺⟹,;:·×∘/+−±∓∧∨")  # after these a sign is that of a number
_CONNECTIVES = frozenset("⟺⟹∧∨")  # if and only if, so, and, or
_PRIMES = "′″‴"
_STRUT = {"width": "0", "height": "0.75em", "depth": "0.22em"}  # as high and as low as a bracket
_SCRIPTED = frozenset({"msub", "msup", "msubsup", "munder", "mover", "munderover"})
_TALL = frozenset({"mfrac", "msqrt", "mroot", "mtable", "munder", "munderover"})


def in_a_line(latex: str) -> str:
    """Return a formula in a line of its own: a long product as formulas side by side, between which a line may end."""
    parts = _factors(latex)
    if len(parts) < _FEWEST_TO_BREAK:
        return mathml(latex, display=True)
    shown = "<wbr>".join(mathml(part, large=True) for part in parts)
    return f'<div class="product">{shown}</div>'


def _factors(latex: str) -> list[str]:
    """Return a formula in parts that begin with a dot between factors, outside of all brackets."""
    parts, depth = [""], 0
    for token in _BRACKET_OR_DOT.split(latex):
        if token in _OPENS or token in _CLOSES:
            depth += 1 if token in _OPENS else -1
        elif token == _DOT and depth == 0:
            parts.append("")
        parts[-1] += token
    return parts


def mathml(latex: str, *, display: bool = False, large: bool = False) -> str:
    """Return a formula as MathML, inline, in a line of its own, or inline as large as there.

    The converter copies the text in a formula as it stands, so that is escaped here.
    """
    with extra("documents"):
        import latex2mathml.converter
    from xml.etree.ElementTree import tostring  # nothing is read
    from xml.sax.saxutils import unescape  # likewise

    escaped = _TEXT_IN_MATH.sub(lambda match: html.escape(match[0].replace(r"\_", "_"), quote=False), latex)
    tree = latex2mathml.converter.convert_to_element(escaped, display="block" if display else "inline")
    if large:
        tree.set("displaystyle", "true")
    for element in list(tree.iter()):
        _set_primes(element)
        _name(element)
    for row in tree.iter():
        if row.tag not in _SCRIPTED:
            _space(row)
    return unescape(tostring(tree, encoding="unicode"))


def _text(element: "Element | None") -> str:
    return html.unescape(element.text or "") if element is not None else ""


def _name(element: "Element") -> None:
    """Say of one element what it is: a letter, the name of a function, a bracket about something low, a root."""
    parts = list(element)
    if element.tag == "mo" and _text(element) in _LETTERS:
        element.tag = "mi"
        element.set("mathvariant", "normal")
    elif element.tag == "mi" and _CAPITAL.fullmatch(_text(element)):  # upright, as in LaTeX
        element.set("mathvariant", "normal")
    elif element.get("mathvariant") == "bold-italic" and _GREEK.fullmatch(_text(element)):
        element.text = chr(ord(_text(element)) - ord("α") + _BOLD_ALPHA)  # browsers know no variants but "normal"
        del element.attrib["mathvariant"]
    elif element.tag == "mi" and (_NAME.fullmatch(_text(element)) or _text(element) in _CONNECTIVES | {":"}):
        element.tag = "mo"
    elif element.tag == "msqrt":  # the sign of a root over a low letter would hang below the line
        element.insert(0, element.makeelement("mspace", dict(_STRUT)))
    elif element.tag in ("msub", "msubsup") and _text(parts[0]) in _LIMITS:
        element.tag = "munder" if element.tag == "msub" else "munderover"
        parts[0].set("movablelimits", "true")
    elif parts and parts[0].get("fence") and not any(inner.tag in _TALL for inner in element.iter()):
        for bracket in (parts[0], parts[-1]):  # one that may grow takes the room of the largest
            bracket.set("stretchy", "false")


def _set_primes(element: "Element") -> None:
    """Take primes out of an exponent, since the font raises them; an index stands below them."""
    if element.tag not in ("msup", "msubsup"):
        return
    base, *index, above = element
    count, power = _exponent(above)
    if count and not index and base.tag == "msubsup" and not _exponent(base[2])[1]:  # of σ_i'' the converter makes two
        (base, *index), count = base[:2], count + _exponent(base[2])[0]
    if not count:
        return
    prime = element.makeelement("mo", {"form": "postfix", "lspace": "0", "rspace": "0"})
    prime.text = f"&#x{ord(_PRIMES[count - 1]):05X};"
    if index and not power:
        (narrow := element.makeelement("mpadded", {"width": "0"})).append(prime)
        prime = narrow
    (primed := element.makeelement("mrow", {})).extend([base, prime])
    element[:] = [primed, *index, *power] if index or power else [base, prime]
    element.tag = "m" + "sub" * bool(index) + "sup" * bool(power) if index or power else "mrow"


def _exponent(above: "Element") -> tuple[int, list["Element"]]:
    """Return how many primes an exponent begins with, and what power follows them: nothing, or one element."""
    first, power = (above[0], above[1:]) if above.tag == "mrow" and len(above) else (above, [])
    sign = _text(first)
    return (_PRIMES.index(sign) + 1, power) if sign and sign in _PRIMES else (0, [above])


def _space(row: "Element") -> None:
    """Set the space about the operators of a row."""
    before, is_open = None, False
    parts = list(row)
    for element, after in itertools.zip_longest(parts, parts[1:]):
        core = _core(element)
        sign = _text(core) if core.tag == "mo" else ""
        if _NAME.fullmatch(sign):
            is_operand = before is not None and not (before.tag == "mo" and _text(before) in _OPENING)
            is_close = after is None or _text(next(iter(after), after)) == "(" or _text(after) in _OPENING
            core.attrib |= {
                "form": "prefix",
                "lspace": "0.17em" if is_operand else "0",
                "rspace": "0" if is_close else "0.17em",
            }
        elif sign in _SIGNS and before is not None and before.tag == "mo" and _text(before) in _OPENING:
            core.set("form", "prefix")
        elif sign == "|" and not core.get("fence"):  # bars open and close in turn
            core.attrib |= {"form": "postfix" if is_open else "prefix", "lspace": "0", "rspace": "0"}
            is_open = not is_open
        elif sign in _CONNECTIVES:
            core.attrib |= {"lspace": "0.5em", "rspace": "0.5em"}
        elif sign == ":":
            core.attrib |= {"lspace": "0.28em", "rspace": "0.28em"}
        elif sign == "·" and before is None:  # where a line may begin
            core.attrib |= {"form": "infix", "lspace": "0.22em", "rspace": "0.22em"}
        elif sign == "/":
            core.attrib |= {"lspace": "0.05em", "rspace": "0.05em"}
        before = element


def _core(element: "Element") -> "Element":
    """Return the operator that indices and powers are attached to."""
    return _core(element[0]) if element.tag in _SCRIPTED else element
