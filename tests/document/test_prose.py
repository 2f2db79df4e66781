"""Formulas within prose, as plain text."""

import pytest

from gradtheory.document.prose import LATEX, MARKDOWN, TEXT, html_prose, plain_math


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


@pytest.mark.parametrize(
    ("write", "code", "link"),
    [
        (
            html_prose,
            '<code><span class="together">derive</span> <span class="together">--topic</span></code>',
            '<em><a href="#claim:one">One &amp; two</a></em>',
        ),
        (LATEX.prose, r"\texttt{derive -{}-topic}", r"\emph{\hyperref[claim:one]{One \& two}}"),
        (MARKDOWN.prose, "`derive --topic`", "*One & two*"),
        (TEXT.prose, "derive --topic", "One & two"),
    ],
)
def test_code_and_links(write, code, link):
    assert write("run `derive --topic`") == f"run {code}"
    assert write("see *[One & two](claim:one)*.") == f"see {link}."
    assert write("[0, 1](of no place)").replace("\\", "") == "[0, 1](of no place)"


def test_only_long_names_of_proofs_break():
    assert LATEX.prose("`width_at_most_H`") == r"\texttt{width\_at\_most\_H}"
    assert r"vanishing\_\allowbreak{}elsewhere" in LATEX.prose("`explosion_here_means_vanishing_elsewhere`")


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"e^{10} x^{L - 1} f^{\prime}", "e^10 x^(L - 1) f^'"),
        (r"e^{s_{*} / \left(e^{s_{*}} - 1\right)}", "e^(s∗/(e^(s∗) - 1))"),
        (r"e^{-e^{-z/2}}", "e^(-e^(-z/2))"),
    ],
)
def test_exponents_stand_in_brackets_however_deep(latex, text):
    assert plain_math(latex).replace(" / ", "/") == text


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{9}{1 + \sqrt{5}}", "9/(1 + √5)"),
        (r"\frac{1 + \sqrt{2}}{3 + \pi}", "(1 + √2)/(3 + π)"),
        (r"\frac{1}{e^{2} \left(1 + e^{-1}\right)}", "1/(e² (1 + e^(-1)))"),
        (r"\frac{\tanh 1}{2}", "(tanh 1)/2"),
        (r"\frac{\frac{1}{2}}{3}", "(1/2)/3"),
        (r"\frac{2\pi}{3} + \frac{\sqrt{2\pi}}{10^{12}}", "2π/3 + √(2π)/10^12"),
        (r"\frac{\partial C}{\partial w_l} + \frac{\sigma''(z)}{|w|}", "∂C/∂wₗ + σ''(z)/|w|"),
        (r"\sqrt[3]{2} + \sqrt[4]{2 + x} + \sqrt[n+1]{x}", "2^(1/3) + (2 + x)^(1/4) + x^(1/(n+1))"),
        (r"e^{\frac12} + 2^{\frac{a}{b} c}", "e^(1/2) + 2^(a/b c)"),
    ],
)
def test_fractions_and_roots_in_one_line_are_read_as_they_were_meant(latex, text):
    assert plain_math(latex) == text
