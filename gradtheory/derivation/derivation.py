"""A derivation: checked steps from definitions and named facts, for one question. `writing` puts it into words."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sympy

from gradtheory.activations import Activation
from gradtheory.activations import activation as as_activation
from gradtheory.activations.slopes.jumps import jumps_of
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.arithmetic.inputs import read_chain_depth
from gradtheory.arithmetic.keywords import with_other_names
from gradtheory.arithmetic.kinds import read_kind, read_mapping
from gradtheory.chains.losses import LOSSES
from gradtheory.derivation import writing
from gradtheory.derivation.letters import read_letters, refuse_taken
from gradtheory.derivation.printing import formula
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics import EVERY_PARAMETER, TOPICS, Answer, Question
from gradtheory.document import Document, save, to_html, to_latex, to_markdown, to_notebook, to_text
from gradtheory.document.messages import LANGUAGES
from gradtheory.errors import InvalidArgument
from gradtheory.formulas.text import text
from gradtheory.training.optimisers.catalogue import RULES
from gradtheory.typing import ActivationLike, NumberLike

if TYPE_CHECKING:
    import nbformat


@dataclass(frozen=True)
class Tally(ShownAsTable):
    """How many steps are true, unknown and false.

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


@dataclass(frozen=True, repr=False)
class Derivation:
    """A question and its answer: a sequence of steps, each checked from its statement alone.

    Parameters
    ----------
    question : Question
        What `derive` was asked for.
    answer : Answer
        The definitions that it starts from, and the steps.
    lang : {"en", "zh"}
        The language of its documents.
    title : str
        The title of its documents, in place of the topic's.

    Examples
    --------
    >>> import gradtheory as gt
    >>> derivation = gt.derive("slope_maximum", activation="tanh")
    >>> derivation
    Derivation('slope_maximum', activation='tanh', steps=9)
    >>> print(derivation.steps[-1])
    sup|σ'| = 1 (exact)
    >>> derivation.check()
    Tally(true=9, unknown=0, false=0, reasons=())

    """

    question: Question
    answer: Answer
    lang: str = "en"
    title: str = ""

    @property
    def topic(self) -> str:
        """Which of the topics it derives."""
        return self.question.topic

    @property
    def activation(self) -> Activation:
        """What σ stands for."""
        return self.question.activation

    @property
    def definitions(self) -> tuple[sympy.Basic, ...]:
        """The definitions that it starts from."""
        return self.answer.definitions

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps, in order."""
        return self.answer.steps

    def check(self) -> Tally:
        """Check every step, and count the true, the unknown and the false ones."""
        verdicts = [step.verdict for step in self.steps]
        true, unknown, false = (sum(verdict.is_true is truth for verdict in verdicts) for truth in (True, None, False))
        return Tally(true, unknown, false, tuple(verdict.reason for verdict in verdicts if not verdict.is_true))

    @property
    def document(self) -> Document:
        """The derivation in words, before it has a format; every step is checked for it."""
        return writing.document(self.question, self.answer, self.lang, self.title)

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

    def to_notebook(self) -> "nbformat.NotebookNode":
        """Return the derivation as a Jupyter notebook, whose code checks it again."""
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

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _answered, (self.question, self.lang, self.title)  # SymPy evaluates what it unpickles: |X| = ∞ to False

    def __copy__(self) -> "Derivation":
        return self

    def __deepcopy__(self, _: Any) -> "Derivation":
        return self

    def __repr__(self) -> str:
        names = TOPICS[self.topic].arguments[:1]  # what it is about: an activation, an optimiser, or neither
        subjects = ((name, getattr(self.question, name)) for name in names)
        about = "".join(f"{name}={getattr(subject, 'name', subject)!r}, " for name, subject in subjects)
        return f"Derivation({self.topic!r}, {about}steps={len(self.steps)})"

    def __str__(self) -> str:
        return self.to_text()

    def _repr_latex_(self) -> str:
        rows = [f"{left} &{right}" for step in self.steps for left, right in formula(step.statement).rows]
        return "$\\displaystyle \\begin{aligned} " + r" \\ ".join(rows) + " \\end{aligned}$"

    def _repr_html_(self) -> str:
        page = self.to_html()
        style, body = page.index("<style>"), page.index('<div class="gradtheory">')
        return page[style : page.index("</style>") + 8] + page[body : page.index("</body>")]


@with_other_names
def derive(
    topic: str,
    depth: int | sympy.Symbol | None = None,
    activation: ActivationLike | None = None,
    wrt: str | None = None,
    lang: str = "en",
    *,
    loss: str | None = None,
    values: Mapping[str, NumberLike] | None = None,
    title: str = "",
    optimiser: str | None = None,
    letters: Mapping[str, str] | None = None,
) -> Derivation:
    r"""Return a derivation in which every step is checked by machine.

    Parameters
    ----------
    topic : str
        "gradient", of a chain; "slope_maximum", sup|σ'| by calculus; "explosion", where \|σ'(wx + b)·w\| > c; "widest",
        the widest such set; "weak_norm", K as a norm; "depth", how much wider that set is for a chain of any depth;
        "stability", the region of an optimiser; "weight_decay", "clipping" and "initialisation", what these remedies
        guarantee; "residual", "layer_norm", "batch_norm", "dropout", "recurrent" and "attention", what these blocks of
        wide networks do to variances and gradients at initialisation.
    depth : int or sympy.Symbol, optional
        The number of layers of the chain, 3 unless stated ("gradient", and "initialisation" with values); an integer
        symbol derives the formula for every depth.
    activation : str, sympy.Expr or Activation, optional
        As in `gradtheory.activation`, the sigmoid unless stated (every topic except
        "stability" and the blocks, except "recurrent").
    wrt : str, optional
        The weight, bias or input that the loss is differentiated by, such as "b2" or "x", or "all" for every weight
        and bias; "w1" unless stated, and "all" for a symbolic depth, whose formulas hold for every layer ("gradient").
    lang : {"en", "zh"}
        The language of the documents.
    loss : {"squared", "cross_entropy"}, optional
        The loss at the end of the chain, the squared one unless stated ("gradient").
    values : mapping of str to number, optional
        Exact numbers to put in: x, y, w1, b1, … for "gradient"; w, b, c for "explosion"; sigma_w, c for
        "initialisation".
    title : str
        A title of your own, in place of the topic's.
    optimiser : str, optional
        As in `gradtheory.stability_region`, "heavy_ball" unless stated ("stability").
    letters : mapping of str to str, optional
        What is written for x, y, w and b, such as {"w": "theta"}: a letter, or the name of a Greek one.

    Returns
    -------
    Derivation
        `.steps`, `.check()`, `.to_latex()`, `.to_html()`, `.to_markdown()`, `.to_text()`, `.to_notebook()`, `.save()`.

    Raises
    ------
    InvalidArgument
        If an argument breaks a rule, or the topic does not use it; for "depth", if σ is not in class N.

    Examples
    --------
    >>> derivation = derive("gradient", depth=2, wrt="b1")
    >>> print(derivation.steps[4])
    δ₁ = δ₂ w₂ σ'(z₁) (exact)
    >>> derivation.check().ok
    True

    """
    one_of(topic, "topic", tuple(TOPICS))
    words = read_kind(title, "title", str, "must be a text, such as 'Backpropagation'")
    rule = "must be a mapping of names to numbers, as {'w': 7}"
    numbers = {} if values is None else read_mapping(values, "values", rule)
    language = one_of(lang, "lang", LANGUAGES)
    _require_used(topic, activation=activation, depth=depth, wrt=wrt, loss=loss, values=values, optimiser=optimiser)
    layers = read_chain_depth(3 if depth is None else depth)
    if isinstance(layers, sympy.Symbol) and not (wrt is None or (isinstance(wrt, str) and wrt == EVERY_PARAMETER)):
        rule = (
            f"must be 'all' or left out for {layers} layers: the formulas hold for every one; or give a depth such as 3"
        )
        raise InvalidArgument("wrt", wrt, rule)
    record = as_activation("sigmoid" if activation is None else activation)
    if record.branches is None and (jumps := jumps_of(record.expr)):
        raise InvalidArgument("activation", activation, f"must be continuous; it jumps at z = {text(jumps[0])}")
    question = Question(
        topic,
        record,
        layers,
        _wrt(layers) if wrt is None else wrt,
        one_of("squared" if loss is None else loss, "loss", tuple(LOSSES)),
        numbers,
        one_of("heavy_ball" if optimiser is None else optimiser, "optimiser", tuple(RULES)),
        read_letters(letters),
    )
    derivation = _answered(question, language, words)
    if question.letters:
        refuse_taken(question.letters, writing.formulas_of(question, derivation.answer))
    return derivation


def _answered(question: Question, lang: str, title: str) -> Derivation:
    return Derivation(question, TOPICS[question.topic].derive(question), lang, title)


def _wrt(depth: int | sympy.Symbol) -> str:
    """Return what a gradient is by unless the caller says so: the formulas for every depth are by all parameters."""
    return EVERY_PARAMETER if isinstance(depth, sympy.Symbol) else "w1"


def _require_used(topic: str, **arguments: object) -> None:
    """Raise InvalidArgument for an argument that the topic does not use."""
    used = TOPICS[topic].used(bool(arguments["values"]))
    for name, value in arguments.items():
        if value is not None and name in TOPICS[topic].with_values and name not in used:
            raise InvalidArgument(name, value, f"is used by {topic!r} with values only")
        if value is not None and name not in used:
            others = f", which takes {', '.join(used)}" if used else ": leave it out"
            raise InvalidArgument(name, getattr(value, "name", value), f"is not used by {topic!r}{others}")
