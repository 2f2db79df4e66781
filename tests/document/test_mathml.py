"""Formulas in MathML: the space about operators, and indices where textbooks have them."""

import base64
import io
import re

import pytest
from fontTools.ttLib import TTFont

from gradtheory.document.font import font_of
from gradtheory.document.mathml import mathml
from gradtheory.document.prose import html_prose


@pytest.mark.parametrize(
    ("latex", "wanted"),
    [
        (r"\sigma'\left(z\right)", r'<mo stretchy="false" fence="true" form="prefix">&#x00028;'),
        (r"\left(\frac{1}{2}\right)", r'<mo stretchy="true" fence="true" form="prefix">&#x00028;'),
        (r"\sigma'", r'<mrow><mi>&#x003C3;</mi><mo form="postfix" lspace="0" rspace="0">&#x02032;</mo></mrow>'),
        (r"\Lambda = -2", r'<mo>&#x0003D;</mo><mo form="prefix">&#x02212;</mo>'),
        (
            r"\sigma_{a}''",
            r'<msub><mrow><mi>&#x003C3;</mi><mpadded width="0"><mo form="postfix" lspace="0" rspace="0">&#x02033;',
        ),
        (r"\sigma_{a}''", r"</mpadded></mrow><mrow><mi>a</mi></mrow></msub>"),
        (
            r"\sigma'^2",
            r'<msup><mrow><mi>&#x003C3;</mi><mo form="postfix" lspace="0" rspace="0">&#x02032;</mo></mrow><mn>2',
        ),
        (r"\sqrt{n}", r'<msqrt><mspace width="0" height="0.75em" depth="0.22em" /><mrow><mi>n</mi>'),
        ("a - b", r"<mi>a</mi><mo>&#x02212;</mo>"),
        (r"\Lambda L", r'<mi mathvariant="normal">&#x0039B;</mi><mi>L</mi>'),
        (
            r"\partial C/\partial z",
            r'mathvariant="normal">&#x02202;</mi><mi>C</mi><mo lspace="0.05em" rspace="0.05em">&#x0002F;',
        ),
        (r"x \to -\infty", r'<mo form="prefix">&#x02212;</mo><mi mathvariant="normal">&#x0221E;</mi>'),
        (r"\lim_{z \to 0} z", r'<munder><mo movablelimits="true" form="prefix" lspace="0" rspace="0.17em">lim</mo>'),
        (r"s \tanh s", r'<mi>s</mi><mo form="prefix" lspace="0.17em" rspace="0.17em">tanh</mo>'),
        (r"2 \cdot \operatorname{erf}\left(v\right)", r'<mo form="prefix" lspace="0" rspace="0">erf</mo>'),
        (r"\cosh^{2}\left(s\right)", r'<msup><mo form="prefix" lspace="0" rspace="0">cosh</mo>'),
        (r"\operatorname{erfc} = 1", r'<mo form="prefix" lspace="0" rspace="0">erfc</mo><mo>&#x0003D;'),
        (r"x : y", r'<mo lspace="0.28em" rspace="0.28em">:'),
        ("|w| - 4", r'<mo stretchy="false" form="postfix" lspace="0" rspace="0">&#x0007C;</mo><mo>&#x02212;'),
        (r"a \iff b", r'<mo lspace="0.5em" rspace="0.5em">&#x027FA;'),
    ],
)
def test_what_a_browser_would_guess_is_said(latex, wanted):
    assert wanted in mathml(latex)


def test_no_line_breaks_between_a_formula_and_the_mark_behind_it():
    text = html_prose("below $2/h$. With $h$ it is")
    assert re.search(r'<span class="together"><math.*?</math>\.</span> With <math', text)
    assert text.count("<span") == 1


def test_tall_roots_are_no_wider_than_low_ones():
    font = TTFont(io.BytesIO(base64.b64decode(font_of("").partition(",")[2])))
    variants = font["MATH"].table.MathVariants
    low = font.getBestCmap()[ord("√")]
    forms = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(low)].MathGlyphVariantRecord
    widths = [font["hmtx"][form.VariantGlyph][0] for form in forms]
    assert len(widths) > 2
    assert max(widths) < 1.2 * widths[0]
    assert max(font["glyf"][form.VariantGlyph].xMax for form in forms) < 1.2 * widths[0]
