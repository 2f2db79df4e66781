"""Formulas within prose, as plain text."""

import pytest

from gradtheory.document.prose import plain_math


@pytest.mark.parametrize(
    ("latex", "text"),
    [(r"s\,\tanh s = 1/2", "s tanh s = 1/2"), (r"4c\,\cosh^2 s", "4c cosh² s"), (r"\max(a, b)", "max(a, b)")],
)
def test_a_function_stands_apart_from_its_argument(latex, text):
    assert plain_math(latex) == text
