"""Formulas within prose, as plain text."""

import pytest

from gradtheory.document.prose import plain_math


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"s\,\tanh s = 1/2", "s tanh s = 1/2"),
        (r"4c\,\cosh^2 s", "4c cosh² s"),
        (r"\max(a, b)", "max(a, b)"),
        ("a_{l - 1} - 1", "aₗ₋₁ - 1"),
    ],
)
def test_a_function_stands_apart_from_its_argument(latex, text):
    assert plain_math(latex) == text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"z = s\tan\theta", "z = s tan θ"),
        (r"\sigma'/\cos^2\theta", "σ'/cos²θ"),
        (r"z\tanh(z/2)", "z tanh(z/2)"),
        (r"\sup_t t\,m(t)", "sup_t t m(t)"),
        (r"\frac{1}{2}\ln\left|x\right|", "1/2 ln|x|"),
    ],
)
def test_a_function_stands_apart_from_what_it_multiplies_too(latex, text):
    assert plain_math(latex) == text
