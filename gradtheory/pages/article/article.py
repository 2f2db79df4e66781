"""The article as a document: the claims with their findings, in the words of one language."""

import functools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradtheory import __version__
from gradtheory.arithmetic.brief import ShownAsTable
from gradtheory.arithmetic.choices import one_of
from gradtheory.derivation import Step
from gradtheory.derivation.printing import formula, text
from gradtheory.derivation.wide_layers import WideEquation
from gradtheory.derivation.writing import steps_in_words, summary_of_checks
from gradtheory.document import (
    Block,
    Document,
    Figure,
    Formula,
    Heading,
    Paragraph,
    Table,
    read_folder,
    save,
    save_figures,
)
from gradtheory.document.messages import LANGUAGES, fill, words
from gradtheory.formulas import LatexWriter
from gradtheory.formulas.latex import tex_text
from gradtheory.pages.article import figures
from gradtheory.pages.article.activations import as_written
from gradtheory.pages.article.chain import SETTING, SETTING_STEPS
from gradtheory.pages.article.claim import SIGMOID, Claim, Finding
from gradtheory.pages.article.claims import CLAIMS
from gradtheory.pages.article.sigmoid import slope_steps

_FIGURES = {"chain": figures.chain, "layers": figures.layers, "sigmoid": figures.sigmoid, "run": figures.run}
_SIGMA = re.compile(r"\\sigma(?![A-Za-z_])")
_STEP = re.compile(r"@\{(\w+)\.(\w+)\}")  # a reference to a step of a claim, by its rule
_PLACE = re.compile(r"@\{(\w+)\}")  # a reference to a claim or a figure
_NAMED = (  # the activations that claims speak of
    *("identity", "sigmoid", "tanh", "softsign", "arctan", "isru", "erf", "hard_tanh", "relu6", "relu", "leaky_relu"),
    *("elu", "selu", "softplus", "mish", "silu", "gelu", "hard_swish"),
)
_FIGURE_OF = {"depth": "layers", "widest": "sigmoid", "jumps": "run"}


@dataclass(frozen=True)
class Section(ShownAsTable):
    """One claim with its finding.

    Parameters
    ----------
    claim : Claim
    finding : Finding
    prose : mapping of str to str
        Its words: title, claim, result and verdict, with their values filled in, and what its symbols stand for.
    columns : tuple of str
        The titles of the columns of its table, where it has one.

    """

    claim: Claim
    finding: Finding
    prose: Mapping[str, str]
    columns: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Section({self.claim.name}: {self.finding.verdict.value})"


def _key(step: Step) -> tuple[str, str]:
    """Return what makes two steps the same to a reader, bold letters too: a step that stands above is referred to."""
    of_matrices = " in matrices" * isinstance(step.statement, WideEquation)
    return f"{text(step.statement, *step.assumptions)}{of_matrices}", step.meaning.activation.name


@dataclass(frozen=True)
class _Numbers:
    """The numbers of steps, by their keys, and by the name of a claim and the rule of its step; links to other places.

    The links are those to claims, by their titles, and to figures, by their numbers.
    """

    keys: Mapping[tuple[str, str], int]
    places: Mapping[tuple[str, str], int]
    links: Mapping[str, str]

    def of(self, step: Step) -> int:
        """Return the number of a step."""
        return self.keys[_key(step)]

    def referred(self, prose: str) -> str:
        """Return prose with references to numbers of steps for @{setting.value}, and with links for @{maximum}."""
        linked = _PLACE.sub(lambda match: self.links[match[1]], prose)
        return _STEP.sub(lambda match: f"@{{eq:{self.places[match[1], match[2]]}}}", linked)


@dataclass(frozen=True)
class Article(ShownAsTable):
    """The whole article in one language.

    Parameters
    ----------
    lang : {"en", "zh"}
    sections : tuple of Section

    """

    lang: str
    sections: tuple[Section, ...]

    def __repr__(self) -> str:
        return f"Article(lang={self.lang!r}, {len(self.sections)} sections)"

    @property
    def document(self) -> Document:
        """The article in words, before it has a format."""
        catalogue = words(self.lang)
        return Document(
            title=catalogue["article"]["title"],
            subtitle=fill(catalogue["article"]["subtitle"], {"version": __version__}),
            lang=self.lang,
            blocks=tuple(self._referred((*self._opening(catalogue), *self._claims(catalogue)), catalogue)),
            figures=_FIGURES,
            version=__version__,
        )

    def write(self, folder: Path) -> Iterator[Path]:
        """Write article.html, article.tex and the figures as SVG and PDF; yield each path."""
        folder = read_folder(folder, "folder")
        document = self.document
        for suffix in ("svg", "pdf"):
            yield from save_figures(document, folder, suffix)
        for name in ("article.html", "article.tex"):
            yield save(document, folder / name)

    def _opening(self, catalogue: Mapping[str, Any]) -> Iterator[Block]:
        of_article = catalogue["article"]
        yield Paragraph(of_article["introduction"])
        yield Heading(catalogue["document"]["summary"])
        yield Paragraph(of_article["verdicts"])
        yield Table(
            tuple(
                (each.prose["title"], _listed(each.claim, catalogue), each.prose["verdict"]) for each in self.sections
            ),
            head=tuple(of_article[f"column_{name}"] for name in ("claim", "paragraph", "verdict")),
            links=tuple(f"claim:{section.claim.name}" for section in self.sections),
            kinds=tuple(section.finding.verdict.value for section in self.sections),
        )
        yield Paragraph(self._counted(catalogue))
        yield Heading(of_article["legend"])
        steps = {_key(step): step for _, steps in self._steps() for step in steps}
        yield Paragraph(fill(of_article["legend_text"], {"summary": summary_of_checks([*steps.values()], catalogue)}))
        yield Paragraph(of_article["runs"])
        yield Paragraph(of_article["letters"])
        yield Table(tuple(map(tuple, of_article["symbols"])), head=tuple(of_article["column_symbols"]))
        yield Paragraph(of_article["activations"])
        writer = LatexWriter(bare=False)  # tanh(z), as arctan(z) and erf(z) are written
        with writer.folded():  # a fraction in a table is small
            formulas = tuple((name, f"${writer.doprint(as_written(name))}$") for name in _NAMED)
        yield Table(formulas, head=tuple(of_article["column_activations"]))
        yield Heading(of_article["setting"])
        yield Paragraph(of_article["setting_text"])
        yield formula(*SETTING.forward())
        yield Paragraph(of_article["setting_composite"])
        yield Figure("chain", of_article["figure_chain"])
        yield Paragraph(of_article["setting_gradient"])
        yield from steps_in_words(SETTING_STEPS, catalogue)
        yield Heading(of_article["sigmoid"])
        yield Paragraph(of_article["sigmoid_text"])
        yield from steps_in_words(slope_steps(), catalogue, len(SETTING_STEPS) + 1)

    def _steps(self) -> Iterator[tuple[str, tuple[Step, ...]]]:
        """Yield all steps, with the name of what they belong to."""
        yield "setting", (*SETTING_STEPS, *slope_steps())
        for section in self.sections:
            yield section.claim.name, section.finding.steps

    def _referred(self, blocks: Iterable[Block], catalogue: Mapping[str, Any]) -> Iterator[Block]:
        """Yield blocks with their references as numbers and links."""
        referred = self._numbers(catalogue).referred
        for block in blocks:
            match block:
                case Paragraph():
                    yield replace(block, text=referred(block.text))
                case Formula():
                    yield replace(block, reason=referred(block.reason))
                case Figure():
                    yield replace(block, caption=referred(block.caption))
                case Table():
                    yield replace(block, rows=tuple(tuple(map(referred, row)) for row in block.rows))
                case _:
                    yield block

    def _numbers(self, catalogue: Mapping[str, Any]) -> _Numbers:
        """Return the numbers of all steps, each by its key, and by the first place where its rule stands."""
        numbers: dict[tuple[str, str], int] = {}
        places: dict[tuple[str, str], int] = {}
        for name, steps in self._steps():
            for step in steps:
                number = numbers.setdefault(_key(step), len(numbers) + 1)
                places.setdefault((name, step.rule), number)
        links = {each.claim.name: f"[{each.prose['title']}](claim:{each.claim.name})" for each in self.sections}
        for number, name in enumerate(_FIGURES, start=1):
            title = fill(catalogue["article"]["figure"], {"number": number})
            links[f"figure_{name}"] = f"[{title}](fig:{name})"
        return _Numbers(numbers, places, links)

    def _counted(self, catalogue: Mapping[str, Any]) -> str:
        """Return how many claims there are, with how many of each verdict."""
        counts = Counter(section.prose["verdict"] for section in self.sections)
        of_count = catalogue["article"]["of_count"]
        told = [fill(of_count, {"verdict": verdict, "count": count}) for verdict, count in counts.most_common()]
        parts = catalogue["document"]["comma"].join(told)
        return fill(catalogue["article"]["counts"], {"count": len(self.sections), "parts": parts})

    def _claims(self, catalogue: Mapping[str, Any]) -> Iterator[Block]:
        numbers = self._numbers(catalogue)
        shown = {_key(step): step.rule for step in next(self._steps())[1]}  # before the claims
        for section in self.sections:
            yield from _in_words(section, catalogue, numbers, shown)


def _in_words(
    section: Section, catalogue: Mapping[str, Any], numbers: _Numbers, shown: dict[tuple[str, str], str]
) -> Iterator[Block]:
    """Yield a claim with its derivation, result and verdict; `shown` are the steps above, with why they hold."""
    labels, colon = catalogue["document"], catalogue["document"]["colon"]
    name, finding, prose = section.claim.name, section.finding, section.prose
    place = catalogue["article"]["paragraph" if len(section.claim.paragraphs) == 1 else "paragraphs"]
    numbered = fill(place, {"numbers": _listed(section.claim, catalogue)})
    yield Heading(prose["title"], label=f"claim:{name}")
    yield Paragraph(f"*{labels['claim']}*{numbered}{colon}{prose['claim']}")
    if "given" in prose:
        yield Paragraph(prose["given"])
    for step in finding.steps:
        number = numbers.of(step)
        (block,) = steps_in_words([step], catalogue, number)
        block = _with_name(block, step.meaning.activation.name)
        if (rule := shown.get(_key(step))) is None:
            shown[_key(step)] = step.rule
            yield block
            continue
        put_in = {"equation": f"@{{eq:{number}}}", "reason": block.reason}
        again = "again" if rule == step.rule else "again_because"
        yield replace(block, number=None, reason=fill(catalogue["article"][again], put_in))
    yield Paragraph(f"*{labels['number']}*{colon}{prose['result']}")
    if finding.rows:
        yield Table(finding.rows, head=section.columns)
    yield Paragraph(f"*{labels['verdict']}*{colon}{prose['verdict']}", kind=finding.verdict.value)
    if name in _FIGURE_OF:
        yield Figure(_FIGURE_OF[name], catalogue["article"][f"figure_{_FIGURE_OF[name]}"])


def _with_name(block: Formula, name: str) -> Formula:
    """Return a formula on another activation than the sigmoid, with its name beside σ."""
    if name == SIGMOID.name:
        return block
    named = rf"\sigma_{{\text{{{tex_text(name)}}}}}"
    rows = tuple((_SIGMA.sub(lambda _: named, left), _SIGMA.sub(lambda _: named, right)) for left, right in block.rows)
    return replace(block, rows=rows, plain=functools.partial(_plain_with_name, block, name))


def _plain_with_name(block: Formula, name: str) -> str:
    return block.plain().replace("σ", f"σ_{name}")


def _listed(claim: Claim, catalogue: Mapping[str, Any]) -> str:
    return str(catalogue["article"]["and"]).join(map(str, claim.paragraphs))


def build(lang: str = "en") -> Article:
    """Compute every claim and return the article in a language.

    Examples
    --------
    >>> article = build("zh")  # doctest: +SKIP

    """
    catalogue = words(one_of(lang, "lang", LANGUAGES))
    return Article(lang, tuple(_section(claim, catalogue) for claim in CLAIMS))


def _section(claim: Claim, catalogue: Mapping[str, Any]) -> Section:
    prose = catalogue["claims"][claim.name]
    finding = claim.finding()
    stated = {f"{name}_stated": value for name, value in claim.claimed.items()}
    listed = {name: text.replace("$, $", catalogue["document"]["in_a_list"]) for name, text in finding.computed.items()}
    values = {**claim.claimed, **stated, **listed}
    in_words = {name: fill(text, values) for name, text in prose.items() if name != "columns"}
    in_words["verdict"] = catalogue["verdicts"][finding.verdict.value]
    return Section(claim, finding, in_words, tuple(prose.get("columns", ())))
