"""Commands for derivations, named facts and the article."""

import re
import sys
from pathlib import Path
from typing import Any

import click
import sympy
from rich.console import Console
from rich.progress import track

import gradtheory as gt
from gradtheory.cli.group import Choice, app, expr_option, json_option, one_activation
from gradtheory.cli.printing import print_json, print_result, written
from gradtheory.cli.words import language, said
from gradtheory.derivation.topics import TOPICS
from gradtheory.document.wrapping import padded
from gradtheory.errors import InvalidArgument

_DEEPEST = 10_000
_MANY_STEPS = 5


@app.command()
@click.option(
    "--topic",
    type=Choice(tuple(TOPICS)),
    default="gradient",
    show_default=True,
    help="What is derived.",
)
@click.option("--depth", metavar="N", help="The number of layers, or L for every depth; 3 unless given.")
@click.option("--wrt", metavar="NAME", help="A weight, a bias or the input: w1, b2, x; or all; w1 unless given.")
@click.option("--activation", metavar="ACT", help="The activation of every layer; the sigmoid unless given.")
@expr_option
@click.option("--loss", type=Choice(["squared", "cross_entropy"]), help="squared unless given.")
@click.option(
    "--value",
    "values",
    metavar="NAME=NUMBER",
    multiple=True,
    help="A number to put in, such as w=7 (explosion), w1=0.5 (gradient), sigma_w=2 (initialisation); give all.",
)
@click.option("--optimiser", metavar="NAME", help="For the stability region; heavy_ball unless given.")
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
    type=Choice(["txt", "tex", "html", "md", "ipynb", "pdf"]),
    help="The format; that of FILE's suffix, or txt, unless given.",
)
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to this file.")
@json_option
def derive(style: str | None, output: Path | None, as_json: bool, **question: Any) -> None:
    """Print a derivation in which every step is checked, or write it as a document.

    Example: gradtheory derive --depth 4 --wrt w1 --activation gelu --format pdf --lang zh -o gelu.pdf

    Example: gradtheory derive --topic explosion --value w=7 --value b=1 --value c=1

    Exit code 1 if a step could not be shown.
    """
    from gradtheory.document import render, save

    derivation = _derivation(**question)
    for step in track(
        derivation.steps,
        said("checking"),
        console=Console(stderr=True),
        transient=True,
        disable=not _is_slow(derivation),
    ):
        _ = step.verdict
    tally = derivation.check()
    if output is not None:
        path = save(derivation.document, output, f".{style}" if style else "")
    if as_json:
        steps = [
            {"statement": str(step.statement), "rule": step.rule, "check": step.verdict.status}
            for step in derivation.steps
        ]
        counts = {"ok": tally.ok, "true": tally.true, "unknown": tally.unknown, "false": tally.false}
        print_json({**counts, "steps": steps})
    elif output is not None:
        click.echo(said(f"Written: {path} ({tally.true} of {len(derivation.steps)} steps checked)"))
    else:
        click.echo(render(derivation.document, f".{style or 'txt'}"), nl=False)
    if not tally.ok:
        raise click.exceptions.Exit(1)


@app.command()
@click.argument("name", metavar="[ID]", required=False)
@click.option("--activation", metavar="ACT", default="sigmoid", show_default=True, help="What it is checked for.")
@json_option
def fact(name: str | None, activation: str, as_json: bool) -> None:
    """Print a named fact with its conditions and source, checked for one activation; or list them all.

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
            print_json(titles)
        else:
            pad = max(map(len, titles))
            click.echo("\n".join(f"{identifier:<{pad}}  {title}" for identifier, title in titles.items()))
        return
    known, record = gt.fact(name), gt.activation(activation)
    verdict = known.check(record) if known.applies(record) else None
    words = fact_in_words(known, lang)
    checked = None if verdict is None else verdict.status
    print_result(
        as_json,
        fact=words["title"],
        statement=text(known.statement),
        assumptions=", ".join(map(text, known.assumptions)) or None,
        conditions=TEXT.prose(words["conditions"]),
        source=words["source"],
        latex=formula(known.statement).latex(),
        **{f"checked_for_{record.name}": checked or "the conditions are not met"},
    )


@app.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("build/article"),
    show_default=True,
    help="The folder to write to.",
)
@json_option
def article(out: Path, as_json: bool) -> None:
    """Write the source article, claim by claim with computed verdicts: HTML, LaTeX and the figures.

    Example: gradtheory article --lang zh
    """
    from gradtheory.document import read_folder

    out = read_folder(out, "out")  # before the minute that building takes
    page = gt.article.build(language())
    paths = [str(path) for path in written(page.write, out)]
    if as_json:
        verdicts = {section.claim.name: section.prose["verdict"] for section in page.sections}
        print_json({"verdicts": verdicts, "files": paths})
        return
    for section in page.sections:
        click.echo(padded(section.prose["verdict"], 24) + section.prose["title"])
    click.echo("\n" + said("Written: " + ", ".join(paths)))


def _derivation(
    *,
    depth: str | None,
    activation: str | None,
    expr: str | None,
    values: tuple[str, ...],
    letters: tuple[str, ...],
    **others: Any,  # as `gradtheory.derive` takes them
) -> gt.Derivation:
    """Return the derivation that the options ask for."""
    return gt.derive(
        depth=None if depth is None else _depth(depth),
        activation=None if activation is None and expr is None else one_activation(activation, expr),
        lang=language(),
        values=_named(values, "value", "must be a name and a number, such as w=7") or None,
        letters=_named(letters, "letter", "must be a letter and what to write for it, such as w=theta") or None,
        **others,
    )


def _depth(text: str) -> int | sympy.Symbol:
    """Return a number of layers, or the symbol of every depth."""
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
    return {name.strip(): what.strip() for name, _, what in pairs}


def _is_slow(derivation: gt.Derivation) -> bool:
    """Whether checking may take more than a second, and somebody watches."""
    return len(derivation.steps) > _MANY_STEPS and sys.stderr.isatty()
