"""Derivations in words: the model of their documents, in a language."""

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sympy

from gradtheory import __version__
from gradtheory.activations import activation_names
from gradtheory.derivation.facts import FACTS, Fact
from gradtheory.derivation.printing import formula, latex, text
from gradtheory.derivation.step import Step
from gradtheory.document import Block, Code, Document, Formula, Heading, Paragraph
from gradtheory.document.messages import filled, words
from gradtheory.training.optimisers import RULES

if TYPE_CHECKING:
    from gradtheory.derivation.derivation import Derivation

_BACK = re.compile(r"@\{-(\d+)\}")  # a reference to an equation so many before


def document(derivation: "Derivation") -> Document:
    """Return the document of a derivation."""
    said = words(derivation.lang)
    topic = said["topics"][derivation.topic]
    values = {"activation": derivation.activation.name, "depth": derivation.depth, "wrt": derivation.wrt}
    values["optimiser"] = said["optimisers"].get(derivation.optimiser, RULES[derivation.optimiser].title)
    return Document(
        title=derivation.title or filled(topic["title"], values),
        subtitle=f"{topic['introduction'].strip()} {_summary(derivation, said)}",
        lang=derivation.lang,
        blocks=tuple(_blocks(derivation, said)),
        version=__version__,
    )


def steps_in_words(steps: tuple[Step, ...], said: Mapping[str, Any], first: int = 1) -> Iterator[Formula]:
    """Yield the formulas of steps, numbered from `first`, with their conditions, reasons and checks."""
    for number, step in enumerate(steps, start=first):
        state = step.verdict.status
        yield replace(
            formula(step.statement),
            number=number,
            condition=r",\; ".join(map(latex, step.assumptions)),
            plain=functools.partial(text, step.statement, *step.assumptions),
            reason=_numbered(_reason(step, said), number),
            status=state,
            badge=said["checks"][state],
        )


def fact_in_words(fact: Fact, lang: str) -> dict[str, str]:
    """Return the title, the conditions and the source of a fact."""
    said = words(lang)["facts"][fact.name]
    return {"title": said["title"], "conditions": said["conditions"], "source": fact.source}


def _blocks(derivation: "Derivation", said: Mapping[str, Any]) -> Iterator[Block]:
    if derivation.given:
        yield Heading(said["document"]["given"])
        yield Paragraph(said["topics"][derivation.topic]["given"])
        yield formula(*derivation.given)
    section = ""
    formulas = steps_in_words(derivation.steps, said)
    for step, shown in zip(derivation.steps, formulas, strict=True):
        if step.section != section:
            section = step.section
            yield Heading(said["sections"][section]["title"])
            if introduction := said["sections"][section].get("text"):
                yield Paragraph(introduction)
        yield shown
    yield Heading(said["document"]["check"])
    yield Paragraph(said["document"]["check_text"])
    yield Code(_source(derivation))


def _numbered(reason: str, number: int) -> str:
    """Return a reason with its references to equations before this one as references to their numbers."""
    return _BACK.sub(lambda match: f"@{{eq:{number - int(match[1])}}}", reason)


def _reason(step: Step, said: Mapping[str, Any]) -> str:
    if step.fact is None:
        return str(said["rules"][step.rule])
    in_words = said["facts"][step.fact]
    return f"{in_words['title']}{said['document']['colon']}{in_words['conditions']} ({FACTS[step.fact].source})"


def _summary(derivation: "Derivation", said: Mapping[str, Any]) -> str:
    counts: dict[str, int] = {}
    for step in derivation.steps:
        state = step.verdict.status
        counts[state] = counts.get(state, 0) + 1
    parts = said["document"]["comma"].join(f"{count} {said['checks'][state]}" for state, count in counts.items())
    return filled(said["document"]["summary_of_checks"], {"count": len(derivation.steps), "parts": parts})


def _source(derivation: "Derivation") -> str:
    """Return the Python that makes this derivation again."""
    record = derivation.activation
    known = record.source or record.name  # of the catalogue: with its parameters, such as "elu(alpha=2)"
    is_named = isinstance(known, str) and (record.source or known.partition("(")[0] in activation_names())
    activation = repr(known) if is_named else f"gt.expression({str(record.expr)!r})"
    depth = derivation.depth
    layers = f"sympy.Symbol({depth.name!r}, integer=True, positive=True)" if isinstance(depth, sympy.Symbol) else depth
    match derivation.topic:
        case "stability":
            arguments = [f"optimiser={derivation.optimiser!r}"]
        case "gradient":
            arguments = [f"activation={activation}", f"depth={layers}", f"wrt={derivation.wrt!r}"]
            arguments += [f"loss={derivation.loss!r}"] if derivation.loss != "squared" else []
        case "initialisation":
            arguments = [f"activation={activation}", f"depth={layers}"]
        case _:
            arguments = [f"activation={activation}"]
    if derivation.values:
        arguments.append(f"values={ {str(name): str(value) for name, value in derivation.values.items()} }")
    arguments.append(f"lang={derivation.lang!r}")
    imports = ["import gradtheory as gt"]
    if "sympy." in " ".join(arguments):
        imports.insert(0, "import sympy")
    made = f"derivation = gt.derive({', '.join([repr(derivation.topic), *arguments])})"
    return "\n".join([*imports, "", made, "report = derivation.check()", "assert report.ok", "report"])
