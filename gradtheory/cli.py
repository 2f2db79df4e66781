"""The command line: it reads arguments, calls the library and prints; it computes nothing."""

import json
import math
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import sympy
from rich.console import Console
from rich.progress import track
from rich.table import Table

import gradtheory as gt
from gradtheory.errors import GradTheoryError, InvalidArgument
from gradtheory.guarantee import decimal
from gradtheory.messages import language_of_locale

_LONGEST_MESSAGE = 500
_MOST_DIGITS, _DEEPEST = 100_000, 10_000
_MANY_STEPS = 5

_activation = click.argument("activation", metavar="[ACT]", required=False)
_expr = click.option(
    "--expr", metavar="TEXT", help='Your own activation in z, in place of ACT, such as "z*tanh(log(1 + exp(z)))".'
)
_weight = click.option(
    "-w", "--weight", metavar="W", required=True, help="The weight, such as 7, -0.3 or 22/7; taken exactly."
)
_threshold = click.option(
    "-c",
    "--threshold",
    metavar="C",
    default="1",
    show_default=True,
    help="A factor explodes above this size.",
)
_lang = click.option(
    "--lang", type=click.Choice(["en", "zh"]), help="The language; that of the locale unless given.", metavar="LANG"
)
_as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with: gradtheory set sigmoid -w 7",
)
@click.version_option(gt.__version__, prog_name="gradtheory")
def app() -> None:
    """Say why gradients explode or vanish, exactly where, and what provably stops it.

    ACT is the name of an activation; `gradtheory activations` lists them.
    """


@app.command("set")
@_activation
@_expr
@_weight
@click.option("-b", "--bias", metavar="B", default="0", show_default=True, help="The bias.")
@_threshold
@click.option("--closed", is_flag=True, help="Use >= in place of >.")
@click.option(
    "--method",
    type=click.Choice(["auto", "closed_form", "certified"]),
    default="auto",
    show_default=True,
    help="How the ends are found.",
)
@click.option(
    "--certificate",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Write the proof to this file, for `gradtheory verify`.",
)
@_as_json
def explosion_set(
    activation: str | None,
    expr: str | None,
    weight: str,
    bias: str,
    threshold: str,
    closed: bool,
    method: str,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """Print the set of inputs x where |σ'(wx + b)·w| > c.

    Example: gradtheory set gelu -w -12 -b 0.3 --certificate proof.json

    Example: gradtheory set --expr "z*tanh(log(1 + exp(z)))" -w 5
    """
    record = _one_activation(activation, expr)
    options: dict[str, Any] = {"threshold": threshold, "strict": not closed, "method": method}
    found = gt.explosion_set(record, weight, bias, **options)
    if certificate is not None:
        text = json.dumps(gt.certificate(record, weight, bias, **options), indent=1)
        try:
            certificate.write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise InvalidArgument(
                "certificate", str(certificate), f"must be a file that can be written to ({error.strerror})"
            ) from None
    _print_result(as_json, set=found, guarantee=gt.guarantee(found))


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
@_as_json
def verify(file: Path, as_json: bool) -> None:
    """Check a certificate with a second program that shares no code with the solver.

    Example: gradtheory verify proof.json

    Exit code 0 if every statement is proven again, 1 if one is not, 2 if the file cannot be read.
    """
    report = gt.checker.check(gt.checker.read(file))
    _print_result(
        as_json,
        verified=report.ok,
        reason=report.reason,
        assumptions="; ".join(report.assumptions) or None,
        remarks="; ".join(report.remarks) or None,
    )
    if not report.ok:
        raise click.exceptions.Exit(1)


@app.command()
@_activation
@_expr
@_weight
@_threshold
@_as_json
def width(activation: str | None, expr: str | None, weight: str, threshold: str, as_json: bool) -> None:
    """Print the total length of the explosion set; the bias does not matter.

    Example: gradtheory width sigmoid -w 7
    """
    found = gt.explosion_width(_one_activation(activation, expr), weight, threshold=threshold)
    _print_result(as_json, width=found, digits=decimal(found, 15), guarantee=gt.guarantee(found))


@app.command()
@_activation
@_expr
@_threshold
@click.option("--digits", metavar="N", type=int, default=15, show_default=True, help="How many proven digits to print.")
@_as_json
def widest(activation: str | None, expr: str | None, threshold: str, digits: int, as_json: bool) -> None:
    """Print the widest explosion set over all weights, and the weight where it occurs.

    Example: gradtheory widest sigmoid --digits 50
    """
    if not 1 <= digits <= _MOST_DIGITS:
        raise InvalidArgument("digits", digits, f"must be from 1 to {_MOST_DIGITS}")
    found = gt.widest_explosion(_one_activation(activation, expr), threshold=threshold)
    _print_result(
        as_json,
        width=decimal(found.width, digits),
        weight=decimal(found.weight, digits),
        attained=found.attained,
        width_formula=found.width,
        weight_formula=found.weight,
        equation=f"{found.equation.lhs} = {found.equation.rhs}" if found.equation is not None else None,
        guarantee=found.guarantee,
    )


@app.command()
@click.option(
    "--topic",
    type=click.Choice(["gradient", "slope_maximum", "explosion", "widest", "weak_norm"]),
    default="gradient",
    show_default=True,
    help="What is derived.",
)
@click.option(
    "--depth", metavar="N", default="3", show_default=True, help="The number of layers, or L for every depth."
)
@click.option(
    "--wrt", metavar="NAME", default="w1", show_default=True, help="A weight, a bias or the input: w1, b2, x."
)
@click.option("--activation", metavar="ACT", help="The activation of every layer; the sigmoid unless given.")
@_expr
@click.option("--loss", type=click.Choice(["squared", "cross_entropy"]), default="squared", show_default=True)
@click.option(
    "--value",
    "values",
    metavar="NAME=NUMBER",
    multiple=True,
    help="A number to put in, such as w=7 (explosion) or w1=0.5 (gradient); give all of them.",
)
@click.option("--title", metavar="TEXT", default="", help="A title of your own.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["txt", "tex", "html", "md", "ipynb", "pdf"]),
    help="The format; that of FILE's suffix, or txt, unless given.",
)
@_lang
@click.option("-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="Write to this file.")
@_as_json
def derive(
    topic: str,
    depth: str,
    wrt: str,
    activation: str | None,
    expr: str | None,
    loss: str,
    values: tuple[str, ...],
    title: str,
    style: str | None,
    lang: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """Print a derivation in which every step is checked, or write it as a document.

    Example: gradtheory derive --depth 4 --wrt w1 --activation gelu --format pdf --lang zh -o gelu.pdf

    Example: gradtheory derive --topic explosion --value w=7 --value b=1 --value c=1

    Exit code 1 if a step could not be shown.
    """
    from gradtheory.document import rendered, save

    record = gt.activation("sigmoid") if activation is None and expr is None else _one_activation(activation, expr)
    found = gt.derive(
        topic,
        _depth(depth),
        record,
        wrt,
        lang or language_of_locale(),
        loss=loss,
        values=dict(map(_named_number, values)),
        title=title,
    )
    for step in track(
        found.steps, "checking", console=Console(stderr=True), transient=True, disable=not _is_slow(found)
    ):
        _ = step.verdict
    report = found.check()
    if output is not None:
        written = save(found.document, output, f".{style}" if style else "")
    if as_json:
        steps = [{"statement": str(step.statement), "rule": step.rule, "check": _how(step)} for step in found.steps]
        counts = {"ok": report.ok, "true": report.true, "unknown": report.unknown, "false": report.false}
        _print_json({**counts, "steps": steps})
    elif output is not None:
        click.echo(f"Written: {written} ({report.true} of {len(found.steps)} steps checked)")
    else:
        click.echo(rendered(found.document, f".{style or 'txt'}"), nl=False)
    if not report.ok:
        raise click.exceptions.Exit(1)


@app.command()
@click.argument("name", metavar="[ID]", required=False)
@click.option("--activation", metavar="ACT", default="sigmoid", show_default=True, help="What it is checked for.")
@_lang
@_as_json
def fact(name: str | None, activation: str, lang: str | None, as_json: bool) -> None:
    """Print a named fact with its conditions and source, checked for one activation; or list them all.

    Example: gradtheory fact widest
    """
    from gradtheory.derivation import FACTS
    from gradtheory.derivation.printing import formula, text
    from gradtheory.derivation.writing import fact_in_words
    from gradtheory.document.prose import TEXT

    lang = lang or language_of_locale()
    if name is None:
        titles = {each: fact_in_words(gt.fact(each), lang)["title"] for each in FACTS}
        if as_json:
            _print_json(titles)
        else:
            pad = max(map(len, titles))
            click.echo("\n".join(f"{each:<{pad}}  {title}" for each, title in titles.items()))
        return
    known, record = gt.fact(name), gt.activation(activation)
    verdict = known.check(record) if known.applies(record) else None
    words = fact_in_words(known, lang)
    checked = None if verdict is None else verdict.check.value if verdict.check else verdict.outcome.value
    _print_result(
        as_json,
        fact=words["title"],
        statement=text(known.statement),
        assumptions=", ".join(map(text, known.assumptions)) or None,
        conditions=TEXT.prose(words["conditions"]),
        source=words["source"],
        latex=formula(known.statement).latex,
        **{f"checked_for_{record.name}": checked or "the conditions are not met"},
    )


@app.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Also write catalogue.md to this folder, with a picture of each activation.",
)
@_as_json
def atlas(out: Path | None, as_json: bool) -> None:
    """Print the constants of every activation, with a line that shows the shape of |slope| from z = -6 to 6.

    Example: gradtheory atlas --out docs
    """
    paths = [] if out is None else _written(gt.atlas.write, out)
    columns = ("steepest", "critical", "width", "weight", "guarantee")
    rows = [
        {"name": entry.record.name, "sparkline": entry.sparkline} | {name: getattr(entry, name) for name in columns}
        for entry in gt.atlas.entries()
    ]
    if as_json:
        _print_json(rows)
        return
    _print_table(
        ("activation", "|slope|", "sup|slope|", "critical weight", "K", "at |w|", "guarantee"),
        rows,
    )
    if out is not None:
        click.echo(f"Written: {paths[-1]} and {len(paths) - 1} pictures")


@app.command()
@click.option(
    "--out", metavar="DIR", type=click.Path(path_type=Path), help="Also write the page gains.md to this folder."
)
@_as_json
def gains(out: Path | None, as_json: bool) -> None:
    """Hold the gains that PyTorch recommends against the exact ones, forward and backward.

    Example: gradtheory gains
    """
    rows = [
        {
            "activation": each.record.name,
            "pytorch": None if each.stated is None else str(each.stated),
            "forward": float(each.exact.forward),
            "backward": float(each.exact.backward),
            "variance": _plain(each.q),
            "chi": each.chi,
            "float32_layers": _plain(each.depth),
        }
        for each in gt.gains.entries()
    ]
    if out is not None:
        _written(gt.gains.write, out)
    if as_json:
        _print_json(rows)
        return
    titles = ("activation", "PyTorch's gain", "forward", "backward", "variance far down", "χ₁ there", "float32 lasts")
    _print_table(titles, [{name: _short(value) for name, value in row.items()} for row in rows])


@app.command()
@_as_json
def activations(as_json: bool) -> None:
    """List the catalogue: each activation, its slope, its critical weight and its widest explosion."""
    rows = [
        {"name": entry.record.name, "slope": str(entry.record.derivative)}
        | {name: getattr(entry, name) for name in ("steepest", "width", "weight", "guarantee")}
        for entry in gt.atlas.entries()
    ]
    if as_json:
        _print_json(rows)
    else:
        _print_table(("activation", "slope", "sup|slope|", "widest width", "at |w|", "guarantee"), rows)


@app.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(path_type=Path),
    default=Path("build/article"),
    show_default=True,
    help="The folder to write to.",
)
@_lang
@_as_json
def article(out: Path, lang: str | None, as_json: bool) -> None:
    """Write the source article, claim by claim with computed verdicts: HTML, LaTeX and three figures.

    Example: gradtheory article --lang zh
    """
    found = gt.article.build(lang or language_of_locale())
    paths = [str(path) for path in _written(found.write, out)]
    if as_json:
        verdicts = {section.claim.name: section.prose["verdict"] for section in found.sections}
        _print_json({"verdicts": verdicts, "files": paths})
        return
    for section in found.sections:
        click.echo(f"{section.prose['verdict']:<24}{section.prose['title']}")
    click.echo("\nWritten: " + ", ".join(paths))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code: 0, or 2 with one line on bad input."""
    try:
        return int(app.main(arguments, prog_name="gradtheory", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.ctx.get_help())
        return 0
    except click.ClickException as error:
        message = error.format_message()
    except click.exceptions.Abort:
        return 130  # as a shell reports an interrupt
    except GradTheoryError as error:
        message = str(error)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        sys.stderr.close()
        return 0
    click.echo(f"gradtheory: {' '.join(message.split())[:_LONGEST_MESSAGE]}", err=True)
    return 2


def _one_activation(name: str | None, text: str | None) -> gt.Activation:
    """Return the activation that is named, or the one that is written out."""
    if (name is None) == (text is None):
        raise click.UsageError("give either ACT, such as sigmoid, or --expr TEXT, such as --expr 'z*sigmoid(2*z)'")
    return gt.activation(name) if text is None else gt.activation(gt.expression(text))


def _written(write: Callable[[Path], Iterable[Path]], folder: Path) -> list[Path]:
    """Return the files that were written to a folder."""
    try:
        return list(write(folder))
    except OSError as error:
        raise InvalidArgument(
            "out", str(folder), f"must be a folder that can be written to ({error.strerror})"
        ) from None


def _short(value: Any) -> str:
    """Return a cell of a table: numbers with 6 digits."""
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)


def _print_table(titles: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    table = Table(*titles)
    for row in rows:
        table.add_row(*(str(each) for each in row.values()))
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def _depth(text: str) -> int | sympy.Symbol:
    """Return a number of layers, or the symbol of every depth."""
    if re.fullmatch(r"[A-Za-z]", text):
        return sympy.Symbol(text, integer=True, positive=True)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= _DEEPEST:
        raise InvalidArgument("depth", text, f"must be from 1 to {_DEEPEST}, or a letter such as L")
    return int(text)


def _named_number(text: str) -> tuple[str, str]:
    name, equals, number = text.partition("=")
    if not equals:
        raise InvalidArgument("value", text, "must be a name and a number, such as w=7")
    return name.strip(), number


def _is_slow(found: "gt.Derivation") -> bool:
    """Whether checking may take more than a second, and somebody watches."""
    return len(found.steps) > _MANY_STEPS and sys.stderr.isatty()


def _how(step: Any) -> str:
    return str(step.check.value if step.check else step.verdict.outcome.value)


def _print_result(as_json: bool, **result: Any) -> None:
    shown = {name: _plain(value) for name, value in result.items()}
    if as_json:
        _print_json(shown)
        return
    pad = max(map(len, shown))
    for name, value in shown.items():
        if value is not None:
            click.echo(f"{name.replace('_', ' '):<{pad}}  {value}")


def _plain(value: Any) -> Any:
    if isinstance(value, gt.Guarantee):
        return value.value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no inf
    return str(value) if isinstance(value, sympy.Basic) else value


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))
