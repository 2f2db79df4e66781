"""What a document consists of, before it has a format."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from gradtheory.arithmetic.brief import shorten


@dataclass(frozen=True)
class Heading:
    """The heading of a section; `label` is what a table of contents links to."""

    text: str
    label: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Prose: words with $formulas$, *emphasis*, `code`, references @{label}, and [links](label) to other places."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Formula:
    """A displayed formula.

    Parameters
    ----------
    rows : tuple of pairs of str
        LaTeX of what stands left of the sign that rows are aligned at, and of the rest.
    plain : callable
        What returns the same as plain text.
    number : int, optional
        Its number, where it has one.
    condition : str
        LaTeX of what it holds for.
    reason : str
        Why it holds: prose.
    status, badge : str
        The key of how it was checked, and the word for it.

    """

    rows: tuple[tuple[str, str], ...]
    plain: Callable[[], str]
    number: int | None = None
    condition: str = ""
    reason: str = ""
    status: str = ""
    badge: str = ""

    def latex(self) -> str:
        """Return all rows as LaTeX for display mode."""
        rows = [f"{left} {right}".strip() for left, right in self.rows]
        together = r" \\ ".join(rows)
        return together if len(rows) == 1 else rf"\begin{{gathered}} {together} \end{{gathered}}"

    @property
    def label(self) -> str:
        """What references name."""
        return f"eq:{self.number}"


@dataclass(frozen=True)
class Figure:
    """A picture with its caption: prose."""

    name: str
    caption: str


@dataclass(frozen=True)
class Table:
    """Rows of prose below the titles of their columns.

    The first cell links to a heading where one is named, and the last has a kind.
    """

    rows: tuple[tuple[str, ...], ...]
    head: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Code:
    """Python that a notebook runs, and other formats show."""

    source: str


Block: TypeAlias = Heading | Paragraph | Formula | Figure | Table | Code


@dataclass(frozen=True)
class Document:
    """A document in one language.

    Parameters
    ----------
    title : str
        Plain text: it may come from outside.
    subtitle : str
        Prose.
    lang : {"en", "zh"}
    blocks : tuple of Block
    figures : mapping of str to callable
        How the figures are drawn, by name: each takes the language, and returns a Matplotlib figure.
    version : str
    heading : str
        The title as prose, where that has a formula.

    """

    title: str
    subtitle: str
    lang: str
    blocks: tuple[Block, ...]
    figures: Mapping[str, Callable[[str], Any]] = field(default_factory=dict)
    version: str = ""
    heading: str = ""

    def __repr__(self) -> str:
        return f"Document({shorten(self.title)!r}, lang={self.lang!r}, {len(self.blocks)} blocks)"
