"""Commands for derivations, named facts and the article."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import gradtheory as gt
from gradtheory.cli import names
from gradtheory.cli.group import (
    ACTIVATION,
    FACT,
    PATH,
    activation_option,
    app,
    expr_option,
    folder_option,
    json_option,
    one_activation,
)
from gradtheory.cli.help import Choice
from gradtheory.cli.printing import print_json, print_result, replaced, say, write_folder
from gradtheory.cli.progress import counted
from gradtheory.cli.words import language, said
from gradtheory.document.files import read_folder, read_target
from gradtheory.document.wrapping import padded
from gradtheory.errors import InvalidArgument

if TYPE_CHECKING:
    import sympy

_DEEPEST = 10_000


@app.command()
@click.option(
    "--topic",
    type=Choice(names.topics()),
    default="gradient",
    show_default=True,
    help="What is derived.",
)
@click.option("--depth", metavar="N", help="The number of layers, or L for every depth; 3 unless given.")
@click.option("--wrt", metavar="NAME", help="A weight, a bias or the input: w1, b2, x; or all; w1 unless given.")
@activation_option
@expr_option
@click.option("--loss", type=Choice(["squared", "cross_entropy"]), help="squared unless given.")
@click.option(
    "--value",
    "values",
    metavar="NAME=NUMBER",
    multiple=True,
    help="A number to put in; give all: w, b, c (explosion), x, y, w1, b1, … (gradient), sigma_w, c (initialisation).",
)
@click.option("--optimiser", type=Choice(names.optimisers()), help="For the stability region; heavy_ball unless given.")
@click.option(
    "--letter",
    "letters",
    metavar="OLD=NEW",
    multiple=True,
    help="What to write for x, y, w or b, such as w=theta.",
)
@click.option("--title", metavar="TEXT", default="", help="A title of your own.")
@click.option(
    "--format",
    "style",
    type=Choice(["txt", "tex", "latex", "html", "md", "ipynb", "pdf"]),
    help="The format; that of FILE's suffix, or txt, unless given.",
)
@click.option("-o", "--out", "--output", "output", metavar="FILE", type=PATH, help="Write to this file.")
@json_option
def derive(style: str | None, output: Path | None, as_json: bool, **question: Any) -> None:
    """Print a derivation, or write it; every step is checked.

    Example: gradtheory derive --depth 4 --wrt w1 --activation gelu --format pdf --lang zh -o gelu.pdf

    Example: gradtheory derive --topic explosion --value w=7 --value b=1 --value c=1

    Exit code 1 if a step could not be shown.
    """
    from gradtheory.document import read_suffix, render, save

    style = "tex" if style == "latex" else style
    suffix = f".{style}" if style else ""
    if output is not None:
        suffix = read_suffix(read_target(output, "output"), suffix)
    elif style == "pdf":
        raise InvalidArgument("format", style, "is written to files only: give one with -o FILE")
    derivation = _derivation(**question)
    verdicts = [step.verdict for step in counted(derivation.steps, "checking")]
    tally = derivation.check()
    if output is not None:
        before = [output] if output.exists() else []
        replaced([save(derivation.document, output, suffix)], before)
    if as_json:
        steps = [
            {"statement": str(step.statement), "rule": step.rule, "check": verdict.status}
            for step, verdict in zip(derivation.steps, verdicts, strict=True)
        ]
        print_json(ok=tally.ok, true=tally.true, unknown=tally.unknown, false=tally.false, steps=steps)
    elif output is not None:
        say(said(f"Written: {output} ({tally.true} of {len(derivation.steps)} steps checked)"))
    else:
        say(render(derivation.document, suffix or ".txt"), line_end=False)
    if not tally.ok:
        raise click.exceptions.Exit(1)


@app.command()
@click.argument("name", metavar="[ID]", required=False, type=FACT)
@click.option("--activation", metavar="ACT", type=ACTIVATION, help="What it is checked for; the sigmoid unless given.")
@expr_option
@json_option
def fact(name: str | None, activation: str | None, expr: str | None, as_json: bool) -> None:
    """Print a named fact, checked for one activation; or list all.

    Example: gradtheory fact widest
    """
    from gradtheory.derivation import FACTS
    from gradtheory.derivation.printing import formula, text
    from gradtheory.derivation.writing import fact_in_words
    from gradtheory.document.prose import TEXT

    lang = language()
    if name is None:
        titles = {identifier: fact_in_words(gt.fact(identifier), lang)["title"] for identifier in FACTS}
        if as_json:
            print_json(facts=titles)
        else:
            pad = max(map(len, titles))
            say("\n".join(f"{identifier:<{pad}}  {title}" for identifier, title in titles.items()))
        return
    known, record = gt.fact(name), one_activation(activation, expr, "sigmoid")
    verdict = known.check(record) if known.applies(record) else None
    words = fact_in_words(known, lang)
    checked = None if verdict is None else verdict.status
    told: dict[str, Any] = {f"checked_for_{record.name}": checked or "the conditions are not met"}
    if as_json:
        told = {"id": known.name, "activation": record.name, "check": checked}
    print_result(
        as_json,
        fact=words["title"],
        statement=text(known.statement),
        assumptions=", ".join(map(text, known.assumptions)) or None,
        conditions=TEXT.prose(words["conditions"]),
        source=words["source"],
        latex=formula(known.statement).latex(),
        **told,
    )


@app.command()
@folder_option("The folder to write to.", Path("build/article"))
@json_option
def article(out: Path, as_json: bool) -> None:
    """Write a document that judges an article on exploding gradients.

    It goes claim by claim, with formulas, numbers, figures and a verdict, as HTML and LaTeX; what is printed at the
    end says how LaTeX becomes a PDF.

    Example: gradtheory article --lang zh
    """
    from gradtheory.document.pdf import ENGINES

    read_folder(out, "out")  # refused before the work is done
    page = gt.article.build(language())
    paths = write_folder(page.write, out)
    if as_json:
        verdicts = {section.claim.name: section.finding.verdict for section in page.sections}
        print_json(verdicts=verdicts, files=paths)
        return
    for section in page.sections:
        say(padded(section.prose["verdict"], 24) + section.prose["title"])
    page_path, latex, *pictures = sorted(paths, key=lambda path: (path.suffix != ".html", path.suffix != ".tex"))
    count = len({path.stem for path in pictures})
    say("\n" + said(f"Written: {page_path}, {latex.name} and {count} figures, each as SVG and PDF"))
    say(said(f"For a PDF, in that folder and three times: {ENGINES[language()][0]} {latex.name}"))


def _derivation(
    *,
    depth: str | None,
    activation: str | None,
    expr: str | None,
    values: tuple[str, ...],
    letters: tuple[str, ...],
    **others: Any,  # as `gradtheory.derive` takes them
) -> "gt.Derivation":
    """Return the derivation that the options ask for; what is wrong is named as the options are."""
    numbers = _named(values, "value", "must be a name and a number, such as w=7") or None
    try:
        return gt.derive(
            depth=None if depth is None else _depth(depth),
            activation=None if activation is None and expr is None else one_activation(activation, expr),
            lang=language(),
            values=numbers,
            letters=_named(letters, "letter", "must be a letter and what to write for it, such as w=theta") or None,
            **others,
        )
    except InvalidArgument as error:
        if error.name.startswith("letters"):
            raise InvalidArgument("letter", " ".join(letters), error.rule) from None
        if error.name != "values":
            raise
        given = " ".join(values) if error.value == numbers else error.value
        raise InvalidArgument("value", given, error.rule) from None


def _depth(text: str) -> "int | sympy.Symbol":
    """Return a number of layers, or the symbol of every depth."""
    import sympy

    if re.fullmatch(r"[A-Za-z]", text):
        return sympy.Symbol(text, integer=True, positive=True)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= _DEEPEST:
        raise InvalidArgument("depth", text, f"must be from 1 to {_DEEPEST}, or a letter such as L")
    return int(text)


def _named(texts: tuple[str, ...], option: str, rule: str) -> dict[str, str]:
    """Return NAME=WHAT options by name."""
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, _) in zip(texts, pairs, strict=True):
        if not equals:
            raise InvalidArgument(option, text, rule)
    names = [name.strip() for name, _, _ in pairs]
    for text, name in zip(texts, names, strict=True):
        if (times := names.count(name)) > 1:
            raise InvalidArgument(option, text, f"gives {name} {times} times: give one value")
    return {name.strip(): what.strip() for name, _, what in pairs}
