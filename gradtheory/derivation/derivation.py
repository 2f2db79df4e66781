"""A derivation: checked steps from named facts, for one question; how it reads is another room's matter."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.arithmetic.inputs import one_of, read_chain_depth
from gradtheory.chains.losses import LOSSES
from gradtheory.derivation import writing
from gradtheory.derivation.printing import formula
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics import TOPICS, Question
from gradtheory.document import Document, save, to_html, to_latex, to_markdown, to_notebook, to_text
from gradtheory.document.messages import LANGUAGES
from gradtheory.training.optimisers import RULES
from gradtheory.typing import ActivationLike


@dataclass(frozen=True)
class Report:
    """How many steps were found true, unknown and false.

    Parameters
    ----------
    true, unknown, false : int
    reasons : tuple of str
        Why steps are unknown or false.

    """

    true: int
    unknown: int
    false: int
    reasons: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every step is true, and there is one."""
        return self.true > 0 and not (self.unknown or self.false)


@dataclass(frozen=True)
class Derivation:
    """A sequence of steps.

    Parameters
    ----------
    topic : str
        Which of `TOPICS`.
    activation : Activation
        What σ stands for.
    given : tuple of sympy.Basic
        The definitions that it starts from.
    steps : tuple of Step
        In order; each is checked from its statement alone.
    lang : {"en", "zh"}
        The language of its documents.
    depth, wrt, loss, values, title, optimiser
        What `derive` was asked for.

    Examples
    --------
    >>> import gradtheory as gt
    >>> derivation = gt.derive("slope_maximum", activation="tanh")
    >>> print(derivation.steps[-1])
    Eq(sup|σ'|, 1) (exact)
    >>> derivation.check()
    Report(true=8, unknown=0, false=0, reasons=())

    """

    topic: str
    activation: Activation
    given: tuple[sympy.Basic, ...]
    steps: tuple[Step, ...]
    lang: str = "en"
    depth: int | sympy.Symbol = 3
    wrt: str = "w1"
    loss: str = "squared"
    values: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    optimiser: str = "heavy_ball"

    def check(self) -> Report:
        """Run the check of every step, and count what became of them."""
        verdicts = [step.verdict for step in self.steps]
        true, unknown, false = (sum(each.is_true is truth for each in verdicts) for truth in (True, None, False))
        return Report(true, unknown, false, tuple(each.reason for each in verdicts if not each.is_true))

    @property
    def document(self) -> Document:
        """The derivation in words, before it has a format; every step is checked for it."""
        return writing.document(self)

    def to_latex(self) -> str:
        """Return the derivation as LaTeX: for pdflatex in English, for xelatex in Chinese."""
        return to_latex(self.document)

    def to_html(self) -> str:
        """Return the derivation as an HTML page that needs no network."""
        return to_html(self.document)

    def to_markdown(self) -> str:
        """Return the derivation as Markdown, formulas between dollar signs."""
        return to_markdown(self.document)

    def to_text(self) -> str:
        """Return the derivation as plain text."""
        return to_text(self.document)

    def to_notebook(self) -> Any:
        """Return the derivation as a Jupyter notebook, an `nbformat.NotebookNode`, whose code checks it again."""
        return to_notebook(self.document)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the derivation to a file in the format of its suffix: .tex, .html, .md, .txt, .ipynb or .pdf.

        Raises
        ------
        InvalidArgument
            If the suffix is unknown, or the file cannot be written.
        MissingProgram
            If a PDF is asked for, and there is no TeX engine.

        """
        return save(self.document, path)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        rows = [f"{left} &{right}" for step in self.steps for left, right in formula(step.statement).rows]
        return "$\\displaystyle \\begin{aligned} " + r" \\ ".join(rows) + " \\end{aligned}$"

    def _repr_html_(self) -> str:
        page = self.to_html()
        return (
            page[page.index("<style>") : page.index("</style>") + 8] + page[page.index("<h1>") : page.index("</body>")]
        )


def derive(
    topic: str,
    depth: int | sympy.Symbol = 3,
    activation: ActivationLike = "sigmoid",
    wrt: str = "w1",
    lang: str = "en",
    *,
    loss: str = "squared",
    values: Mapping[str, Any] | None = None,
    title: str = "",
    optimiser: str = "heavy_ball",
) -> Derivation:
    r"""Return a derivation in which every step is checked by machine.

    Parameters
    ----------
    topic : str
        "gradient", of a chain; "slope_maximum", sup|σ'| by calculus; "explosion", where \|σ'(wx + b)·w\| > c; "widest",
        the widest such set; "weak_norm", K as a norm; "stability", the region of an optimiser; "weight_decay",
        "clipping" and "initialisation", what these remedies guarantee.
    depth : int or sympy.Symbol
        The number of layers of the chain ("gradient", and "initialisation" with values); an integer symbol derives the
        formula for every depth.
    activation : str, Activation or sympy.Expr
        As in `gradtheory.activation`.
    wrt : str
        The weight, bias or input that the loss is differentiated by, such as "w1", "b2" or "x" ("gradient").
    lang : {"en", "zh"}
        The language of the documents.
    loss : {"squared", "cross_entropy"}
        The loss at the end of the chain ("gradient").
    values : mapping of str to number, optional
        Exact numbers that are put in: x, y, w1, b1, … for "gradient"; w, b, c for "explosion"; sigma_w, c for
        "initialisation".
    title : str
        A title of your own, in place of the topic's.
    optimiser : str
        As in `gradtheory.stability_region` ("stability").

    Returns
    -------
    Derivation
        `.steps`, `.check()`, `.to_latex()`, `.to_html()`, `.to_markdown()`, `.to_text()`, `.to_notebook()`, `.save()`.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule.

    Examples
    --------
    >>> derivation = derive("gradient", depth=2, wrt="b1")
    >>> print(derivation.steps[2])
    Eq(delta_1, delta_2*w_2*σ'(z_1)) (exact)
    >>> derivation.check().ok
    True

    """
    question = Question(
        as_activation(activation),
        read_chain_depth(depth),
        wrt,
        one_of(loss, "loss", tuple(LOSSES)),
        values or {},
        one_of(optimiser, "optimiser", tuple(RULES)),
    )
    answer = TOPICS[one_of(topic, "topic", tuple(TOPICS))](question)
    return Derivation(
        topic,
        question.activation,
        answer.given,
        answer.steps,
        one_of(lang, "lang", LANGUAGES),
        question.depth,
        question.wrt,
        question.loss,
        question.values,
        title,
        question.optimiser,
    )
