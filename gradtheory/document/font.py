"""The mathematical font of HTML pages: STIX Two Math, cut down to what formulas use, inside the page.

A browser draws MathML with the roots, brackets, primes and indices of a font that has them; few machines have one.
"""

import base64
import functools
import importlib.util
import io
import string
from pathlib import Path
from typing import Any

from gradtheory.errors import extra

_GREEK = "".join(map(chr, range(0x3B1, 0x3CA))) + "ΓΔΘΛΞΠΣΦΨΩ"
_SIGNS = "√∏∑∫∂∇∞±×·÷−≈≠≤≥≪≫∈∉⊂⊆∪∩∅∘∧∨¬→←↔⇒⇔⟹⟺↦′″‴…⋯⋅∣‖⌊⌋⌈⌉⟨⟩ℝℕℤ𝟙∗◌̃̂̄˜^¯"
_FIRST_ITALIC = {"a": 0x1D44E, "A": 0x1D434, "α": 0x1D6FC, "Α": 0x1D6E2}  # which a browser puts in for a letter
_FIRST_BOLD = {"a": 0x1D41A, "A": 0x1D400, "α": 0x1D6C2}
_BOLD = _FIRST_BOLD["a"]
_PLANCK = 0x210E  # the italic h
_WIDEST_ROOT = 1.1  # times the low sign of a root
_FEATURES = ("ssty", "dtls", "flac", "kern")  # forms for indices, dots and accents


def font_of(text: str) -> str:
    """Return the font for formulas with these characters, as a data URL.

    Raises
    ------
    MissingDependency
        If fontTools or the font is not installed.

    """
    return _font(frozenset(text) - _usual())


@functools.cache
def _usual() -> frozenset[str]:
    return frozenset(string.printable + _GREEK + _SIGNS + "".join(chr(_BOLD + place) for place in range(26)))


@functools.lru_cache(maxsize=8)
def _font(unusual: frozenset[str]) -> str:
    with extra("documents"):
        from fontTools import subset
        from fontTools.ttLib import TTFont

        folder = importlib.util.find_spec("ziamath")
        if folder is None or folder.origin is None:
            raise ModuleNotFoundError(name="ziamath")
    options = subset.Options()
    options.layout_features = list(_FEATURES)
    options.hinting = False
    options.notdef_outline = True
    font = TTFont(Path(folder.origin).with_name("fonts") / "STIXTwoMath-Regular.ttf", recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    characters = _usual() | unusual
    subsetter.populate(unicodes={code for character in characters for code in _codes(character)})
    subsetter.subset(font)
    _narrow_roots(font)
    font.flavor = "woff2"
    target = io.BytesIO()
    font.save(target)
    return f"data:font/woff2;base64,{base64.b64encode(target.getvalue()).decode()}"


def _narrow_roots(font: Any) -> None:
    """Make tall signs of roots about as narrow as the low one: browsers leave the room of the widest behind each."""
    variants = font["MATH"].table.MathVariants
    low = font.getBestCmap()[ord("√")]
    forms = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(low)]
    wanted = font["hmtx"][low][0] * _WIDEST_ROOT
    for name in {part.glyph for part in forms.GlyphAssembly.PartRecords} | {
        form.VariantGlyph for form in forms.MathGlyphVariantRecord
    }:
        width, bearing = font["hmtx"][name]
        share = min(1.0, wanted / width)
        glyph = font["glyf"][name]
        glyph.coordinates.scale((share, 1))
        glyph.coordinates.toInt()
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = round(width * share), round(bearing * share)


def _codes(character: str) -> set[int]:
    """Return a character's number and those of its italic and bold forms."""
    code = ord(character)
    codes = {code, _PLANCK}
    for forms in (_FIRST_ITALIC, _FIRST_BOLD):
        for first, place in forms.items():
            if 0 <= code - ord(first) < (26 if first.isascii() else 25):
                codes.add(place + code - ord(first))
    return codes
