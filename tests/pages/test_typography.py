"""How documents are set: no number touches another, no |7|, no 0/3, and nothing that is only numeric is called proven."""

import itertools
import json
import re
from pathlib import Path

import pytest

import gradtheory as gt
from gradtheory.derivation.printing import formula, text
from gradtheory.derivation.topics import TOPICS
from gradtheory.document import FORMATS, render
from gradtheory.document.messages import LANGUAGES, words
from gradtheory.pages import article
from tests.derivation import derivations
from tests.derivation.derived import derived
from tests.pages.built import built

# Of formulas: as text, in LaTeX and in MathML.
_BAD = {
    "the size of a written number": r"\|\(?-?[0-9.]+\)?\||\\left\|\{?-?[0-9.]+\}?\\right\||>\|</mo><mn>[0-9.]+</mn><mo[^>]*>\|<",
    "a fraction of 0": r"(?<![\w.)])0/\(?-?[0-9]|\\frac\{0\}|<mfrac><mn>0</mn>|<mfrac><mrow><mn>0</mn></mrow>",
    "a fraction by 1": r"[0-9|)]/1(?![0-9./])|\\frac(\{[^{}]*\})\{1\}|<mrow><mn>1</mn></mrow></mfrac>",
    "two numbers that touch": r"[0-9] [0-9]|[0-9] ?\\frac\{[0-9]|</mn><mn>|</mn><mfrac><mrow><mn>",
    "two signs in a row": r"[-−] ?[-−] ?[0-9]",
}
_IN_LATEX = re.compile(r"\$+(.+?)\$+|\\begin\{(equation|align\*?|gather)\}(.*?)\\end\{\2\}", re.DOTALL)
_IN_TEXT = re.compile(r"^(?:\([0-9]+\) *| {8})(\S.*)$", re.MULTILINE)


def flaws(formulas):
    """Return what is badly set in formulas, by the kind of flaw."""
    return {name: match[0] for name, pattern in _BAD.items() if (match := re.search(pattern, formulas)) is not None}


def formulas_of(page, suffix):
    """Return the formulas in a document of some format, one a line."""
    if suffix == ".html":
        return "\n".join(re.findall(r"<math.*?</math>", page, re.DOTALL))
    if suffix == ".txt":
        return "\n".join(_IN_TEXT.findall(page))
    if suffix == ".ipynb":
        page = "\n\n".join(
            "".join(cell["source"]) for cell in json.loads(page)["cells"] if cell["cell_type"] == "markdown"
        )
    return "\n".join(match[1] or match[3] for match in _IN_LATEX.finditer(page))


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("suffix", [each for each in FORMATS if each != ".pdf"])  # a PDF is made from the LaTeX
def test_formulas_of_the_article(lang, suffix):
    formulas = formulas_of(render(built(lang).document, suffix), suffix)
    assert len(formulas) > 3000
    assert flaws(formulas) == {}


def test_formulas_of_derivations():
    said = Path(derivations.PATH).read_text(encoding="utf-8")
    assert flaws("\n".join(line.partition(": ")[2] for line in said.splitlines() if ": " in line)) == {}
    assert flaws("\n".join(line for line in said.splitlines() if "& =" in line)) == {}
    for w, b, c in itertools.product((7, -7, "4.5"), (0, 1, -1), (1, "1/2")):
        steps = gt.derive("explosion", values={"w": w, "b": b, "c": c}).steps
        statements = [step.statement for step in steps if step.section == "numbers"]
        assert len(statements) == 3
        assert flaws("\n".join(map(text, statements))) == {}, (w, b, c)
        assert flaws("\n".join(formula(statement).latex() for statement in statements)) == {}, (w, b, c)


@pytest.mark.parametrize(
    ("written", "flaw"),
    [
        ("√(|7|/1 - 4)", "the size of a written number"),
        ("- 0/3 - x", "a fraction of 0"),
        ("x/(7/1)", "a fraction by 1"),
        ("x = 2 1 y = 3", "two numbers that touch"),
        (r"2\frac{4}{27}", "two numbers that touch"),
        ("<mn>2</mn><mn>1</mn>", "two numbers that touch"),
        ("x - -3", "two signs in a row"),
    ],
)
def test_flaws_are_found(written, flaw):
    assert flaw in flaws(written)


_OF_PROOFS = {"en": r"\bpro(of|v)|certif|theorem", "zh": r"证明|已证|严格验证|定理"}


def _praised(steps, lang):
    """Return the steps that are only numeric, while their reason speaks of a proof."""
    rules = words(lang)["rules"]
    return [
        str(step)
        for step in steps
        if step.fact is None and re.search(_OF_PROOFS[lang], rules[step.rule]) and step.verdict.status == "numeric"
    ]


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("which", ["sigmoid", "gelu", "cloglog"])
def test_nothing_numeric_is_called_proven(lang, which):
    in_class_n = gt.depth_bound(which).value is not None
    topics = [topic for topic in TOPICS if "activation" in TOPICS[topic].arguments and (topic != "depth" or in_class_n)]
    steps = [step for topic in topics for step in derived(topic, activation=which).steps]
    assert any(re.search(_OF_PROOFS[lang], words(lang)["rules"][step.rule]) for step in steps if step.fact is None)
    assert _praised(steps, lang) == []


@pytest.mark.slow
@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_numeric_is_called_proven_in_the_article(lang):
    assert _praised([step for claim in article.CLAIMS for step in claim.finding().steps], lang) == []
