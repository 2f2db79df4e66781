"""Derivations in words: the model of their documents, in a language."""

import functools
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import sympy

from gradtheory import __version__
from gradtheory.activations import Activation
from gradtheory.activations.slopes.piece import SlopeInverse
from gradtheory.arithmetic.pair_root import PairRoot
from gradtheory.arithmetic.root import Root
from gradtheory.chains.symbols import equation
from gradtheory.derivation.checks import Check
from gradtheory.derivation.declared import assumed, in_conditions, unsaid
from gradtheory.derivation.digits import InNumbers, Literal, Rounded
from gradtheory.derivation.facts import FACTS, Fact
from gradtheory.derivation.language import Bend, Slope
from gradtheory.derivation.printing import divided, formula, joined, text
from gradtheory.derivation.source import python_of
from gradtheory.derivation.step import Step
from gradtheory.derivation.topics import EVERY_PARAMETER, Answer, Question
from gradtheory.derivation.topics.slope_maximum import has_no_formula
from gradtheory.derivation.unproven import obstacle
from gradtheory.document import Block, Code, Document, Formula, Heading, Paragraph
from gradtheory.document.messages import fill, paragraph, words
from gradtheory.formulas import LatexWriter
from gradtheory.formulas.spelling import PLAIN, Spelling
from gradtheory.formulas.text import subscripted
from gradtheory.training.optimisers.catalogue import RULES

_DIGITS = 12  # of a place that has a name
_SHORT = 6  # operations of a number that needs no name
_PART_OF_SOURCE = re.compile(r", (chapter|section|theorem|definition|proposition|eqs) ([0-9][0-9.-]*)")
_RANGE = re.compile(r"(?<= [0-9])-(?=[0-9])")  # of equations: 4-7
_AUTHORS = re.compile(r"((?:\w+, )*\w+ & \w+|\w+(?: et al\.)?), ")
_LAWS = {"error_function": r"\operatorname{erf}", "normal": r"\Phi", "normal_density": r"\varphi"}  # that are said
_MATHS = re.compile(r"\$([^$]+)\$")
_BACK = re.compile(r"@\{-(\d+)\}")  # a reference to an equation so many before


def document(question: Question, answer: Answer, lang: str, title: str = "") -> Document:
    """Return a derivation in words, under its topic's title or another; every step is checked for it."""
    catalogue = words(lang)
    topic, record = catalogue["topics"][question.topic], question.activation
    is_formula = record.name == str(record.expr)  # as one's own without a name
    values = {
        "activation": text(record.expr) if is_formula else record.name,
        "depth": question.depth,
        "loss": catalogue["document"][question.loss],
        "wrt": _parameter(question, catalogue["document"]),
        "optimiser": catalogue["optimisers"].get(question.optimiser, RULES[question.optimiser].title),
    }
    spelling = Spelling(zeros(answer.steps), question.letters)
    with_formula = values | {"activation": f"${LatexWriter().doprint(record.expr)}$"}
    return Document(
        title=title or fill(topic["title"], values),
        heading=fill(topic["title"], with_formula) if is_formula and not title else "",
        subtitle=paragraph(
            (spelling.prose(topic["introduction"]), summary_of_checks(answer.steps, catalogue)), catalogue
        ),
        lang=lang,
        blocks=tuple(_blocks(question, answer, lang, spelling)),
        version=__version__,
    )


def formulas_of(question: Question, answer: Answer) -> Iterator[str]:
    """Yield the LaTeX of all formulas of a derivation, those in its prose too, in the letters of the package."""
    parts = (*answer.definitions, *(each for step in answer.steps for each in (step.statement, *step.assumptions)))
    formulas = [formula(part).latex() for part in parts]
    catalogue = words("en")
    prose = [catalogue["topics"][question.topic]["introduction"]]
    prose += [catalogue["document"][key] for key, name in _LAWS.items() if any(name in each for each in formulas)]
    for step in answer.steps:
        prose.append(catalogue["sections"][step.section].get("text", "") if step.section else "")
        prose += _told(FACTS[step.fact], catalogue).values() if step.fact else [catalogue["rules"][step.rule]]
    yield from formulas
    yield from (latex for text in prose for latex in _MATHS.findall(text))


def _parameter(question: Question, catalogue: Mapping[str, str]) -> str:
    """Return what the gradient is taken by, as a title writes it: w₁."""
    if question.wrt == EVERY_PARAMETER:
        return catalogue["every_parameter"]
    name = question.wrt.replace("_", "")
    return fill(catalogue["parameter"], {"name": subscripted(question.letters.get(name[0], name[0]) + name[1:])})


def zeros(steps: Sequence[Step]) -> Mapping[sympy.Basic, sympy.Symbol]:
    """Return names z_1, z_2, … for the places on the line of z in steps that have no formula, from left to right.

    Long numbers between which a superlevel set keeps its shape, |σ'| at such a place, are called s_1, s_2, …; the pair
    of two places that a search finds p_* and q_*.
    """
    parts = [part for step in steps for part in (step.statement, *step.assumptions)]
    roots = {root for part in parts for root in part.atoms(Root)}
    pair = {root for part in parts for root in part.atoms(PairRoot) if root.value in root.unknowns}
    places = sorted(filter(has_no_formula, roots), key=float)
    bounds = {
        bound.rhs
        for step in steps
        for bound in step.assumptions
        if isinstance(bound, sympy.Gt | sympy.Lt | sympy.Ge | sympy.Le)
    }
    is_long = {each: each.is_number and (each.count_ops() > _SHORT or each.has(Root)) for each in bounds}
    heights = sorted(filter(is_long.__getitem__, bounds.difference(places)), key=float)
    return {
        **{root: sympy.Symbol(f"z_{number}") for number, root in enumerate(places, start=1)},
        **{height: sympy.Symbol(f"s_{number}") for number, height in enumerate(heights, start=1)},
        **{root: sympy.Symbol(f"{root.value}_*") for root in sorted(pair, key=float)},
    }


def table_of_zeros(spelling: Spelling, activation: Activation) -> Formula:
    """Return the digits of the places, and of the heights of |σ'| at places, that have names."""
    branches = activation.profile.branches
    ends = [end for each in branches for end in ((each.slope_left, each.left), (each.slope_right, each.right))]
    place = {abs(height): z for height, z in ends}
    heights = {z: height for height, z in ends}
    rows, lines = list[tuple[str, str]](), list[str]()
    for number, name in spelling.names.items():
        if number in place:
            shown = formula(InNumbers.of(name, abs(Slope(place[number])), {}, number, _DIGITS), spelling=spelling)
        else:
            shown = formula(Rounded.of(number, number, _DIGITS), spelling=spelling)
        *before, (left, right) = shown.rows
        line = shown.plain()
        if number in heights:  # an end of a branch of |σ'|
            equation_there = equation((Slope if heights[number] == 0 else Bend)(name), sympy.S.Zero)
            right += rf",\quad {LatexWriter(spelling).doprint(equation_there)}"
            line += f"   ({text(equation_there, spelling=spelling)})"
        rows += [*before, (left, right)]
        lines.append(line)
    return Formula(tuple(rows), lambda: "\n".join(lines))


def steps_in_words(
    steps: Sequence[Step], catalogue: Mapping[str, Any], first: int = 1, spelling: Spelling = PLAIN
) -> Iterator[Formula]:
    """Yield the formulas of steps, numbered from `first`, with their conditions, reasons and checks."""
    writer = LatexWriter(spelling)
    for number, step in enumerate(steps, start=first):
        status = step.verdict.status
        premises, conditions = map(joined, divided(step.assumptions))
        yield replace(
            formula(step.statement, spelling=spelling, premises=premises),
            number=number,
            condition=r",\; ".join(map(writer.doprint, conditions)),
            plain=functools.partial(text, step.statement, *step.assumptions, spelling=spelling),
            reason=_numbered(spelling.prose(_reason(step, catalogue, writer)), number),
            status=status,
            badge=catalogue["checks"][status],
        )


def fact_in_words(fact: Fact, lang: str) -> dict[str, str]:
    """Return the title, the conditions and the source of a fact; what its letters are declared to be is a condition."""
    catalogue = words(lang)
    told = _told(fact, catalogue)
    declared = in_conditions(assumed(fact.statement, fact.assumptions), told["conditions"], LatexWriter())
    return {**told, "conditions": catalogue["document"]["semicolon"].join([told["conditions"], *declared])}


def _told(fact: Fact, catalogue: Mapping[str, Any]) -> dict[str, str]:
    in_words, parts = catalogue["facts"][fact.name], catalogue["sources"]
    source = _PART_OF_SOURCE.sub(lambda match: parts["of"] + fill(parts[match[1]], {"number": match[2]}), fact.source)
    source = _RANGE.sub(parts["range"], source)
    source = parts["next"].join(_work(work, parts) for work in source.split("; "))
    return {"title": in_words["title"], "conditions": in_words["conditions"], "source": source}


def _work(work: str, parts: Mapping[str, str]) -> str:
    """Return one work of a source with the marks of a language: between authors, behind them, and of proofs."""
    if "proofs/" in work:
        program, _, proof = work.rpartition(": ")
        file, *names = (f"`{name}`" for name in proof.split(", "))
        told = fill(parts["proof"], {"file": file, "names": parts["between"].join(names)})
        return f"{program}{parts['colon']}{told}" if program else told
    match = _AUTHORS.match(work)
    if match is None:
        return work
    authors = (
        match[1].replace(" et al.", parts["and_others"]).replace(", ", parts["between"]).replace(" & ", parts["and"])
    )
    return f"{authors}{parts['of']}{work[match.end() :]}"


def _blocks(question: Question, answer: Answer, lang: str, spelling: Spelling) -> Iterator[Block]:
    catalogue = words(lang)
    topic = catalogue["topics"][question.topic]
    sentences = [topic["given"], *(topic[f"given_{name}"] for name in answer.said)]
    declared = _declared(answer, sentences, catalogue, spelling)
    if answer.definitions or declared:
        yield Heading(catalogue["document"]["given"])
    if answer.definitions:
        yield Paragraph(paragraph(map(spelling.prose, sentences), catalogue))
        if "inverse" in topic and any(step.statement.has(SlopeInverse) for step in answer.steps):
            yield Paragraph(topic["inverse"])
        yield (given := formula(*answer.definitions, spelling=spelling))
    if declared:
        yield Paragraph(declared)
    formulas = list(steps_in_words(answer.steps, catalogue, spelling=spelling))
    yield from _normal_law([given, *formulas] if answer.definitions else formulas, catalogue["document"])
    if spelling.names:
        has_heights = any(name.name.startswith("s_") for name in spelling.names.values())
        yield Paragraph(catalogue["document"]["zeros_and_values" if has_heights else "zeros"])
        yield table_of_zeros(spelling, question.activation)
    section = ""
    for step, block in zip(answer.steps, formulas, strict=True):
        if step.section != section:
            section = step.section
            yield Heading(catalogue["sections"][section]["title"])
            if introduction := catalogue["sections"][section].get("text"):
                put_in: dict[str, Any] = dict(answer.numbers_in(section))
                put_in["values"] = _values(answer.numbers, catalogue, spelling)
                put_in["first"] = f"@{{{block.label}}}"  # of its equations
                yield Paragraph(spelling.prose(fill(introduction, put_in)))
        yield block
    yield Heading(catalogue["document"]["check"])
    yield Paragraph(catalogue["document"]["check_text"])
    yield Code(python_of(question, lang))


def _values(numbers: Mapping[sympy.Symbol, sympy.Expr], catalogue: Mapping[str, Any], spelling: Spelling) -> str:
    """Return the values that are put in for letters."""
    equations = (equation(symbol, Literal(symbol, number)) for symbol, number in numbers.items())
    return str(catalogue["document"]["comma"].join(f"${LatexWriter(spelling).doprint(each)}$" for each in equations))


def _normal_law(formulas: Sequence[Formula], labels: Mapping[str, str]) -> Iterator[Block]:
    """Yield what erf, Φ and φ are, where formulas show them."""
    shown = " ".join(right for each in formulas for row in each.rows for right in row)
    said = [key for key, name in _LAWS.items() if name in shown]
    if said[:2] == ["error_function", "normal"]:
        said[:2] = ["error_function_of_normal"]
    sentences = [labels[key] for key in said]
    if sentences:
        yield Paragraph(
            functools.reduce(lambda one, other: fill(labels["two_sentences"], {"one": one, "other": other}), sentences)
        )


def _declared(answer: Answer, given: Sequence[str], catalogue: Mapping[str, Any], spelling: Spelling) -> str:
    """Return what the letters of steps are declared to be where neither the steps nor what is given say it."""
    sections = dict.fromkeys(step.section for step in answer.steps)
    said = " ".join([*given, *(catalogue["sections"][section].get("text", "") for section in sections)])
    labels = catalogue["document"]
    conditions = in_conditions(unsaid(answer.definitions, answer.steps), said, LatexWriter(spelling))
    return fill(labels["declared"], {"conditions": labels["semicolon"].join(conditions)}) if conditions else ""


def _numbered(reason: str, number: int) -> str:
    """Return a reason with its references to equations before this one as references to their numbers."""
    return _BACK.sub(lambda match: f"@{{eq:{number - int(match[1])}}}", reason)


def _reason(step: Step, catalogue: Mapping[str, Any], writer: LatexWriter) -> str:
    if step.fact is not None:
        reason = fill(catalogue["document"]["fact"], _told(FACTS[step.fact], catalogue))
    else:
        with writer.folded():
            shown = {name: writer.doprint(expr).replace(" / ", "/") for name, expr in step.shown}
        reason = fill(catalogue["rules"][step.rule], shown)
    if step.verdict.check is not Check.NUMERIC:
        return reason
    why_no_more = catalogue["numeric"][obstacle(step.statement)]
    return f"{reason}{catalogue['document']['stop']}{why_no_more}"


def summary_of_checks(steps: Sequence[Step], catalogue: Mapping[str, Any]) -> str:
    """Return how many steps were checked, how, and what that means."""
    counts = Counter(step.verdict.status for step in steps)
    labels = catalogue["document"]
    part = labels["part_of_checks" if len(counts) > 1 else "only_part_of_checks"]
    parts = (fill(part, {"count": n, "badge": catalogue["checks"][status]}) for status, n in counts.items())
    summary = fill(labels["summary_of_checks"], {"count": len(steps), "parts": labels["comma"].join(parts)})
    meanings = [text for status, text in catalogue["meanings"].items() if status in counts]
    theorems = [labels["theorems"]] * any(step.fact is not None for step in steps)
    return paragraph([summary, *meanings, *theorems], catalogue)
