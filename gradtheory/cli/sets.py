"""Commands for where one factor explodes."""

import json
from pathlib import Path
from typing import Any

import click

import gradtheory as gt
from gradtheory.cli import names
from gradtheory.cli.group import (
    PATH,
    app,
    certificate_option,
    closed_option,
    effort_option,
    json_option,
    of_activation,
    one_activation,
    options,
    threshold_option,
    weight_option,
)
from gradtheory.cli.help import Choice
from gradtheory.cli.printing import print_result, write
from gradtheory.cli.results import Digits, set_and_guarantee
from gradtheory.document.files import read_target
from gradtheory.errors import InvalidArgument

_MOST_DIGITS = 100_000

bias_option = click.option("-b", "--bias", metavar="B", default="0", show_default=True, help="The bias.")
input_option = click.option("-x", "--input", "x", metavar="X", required=True, help="The input; taken exactly.")
method_option = click.option(
    "--method", type=Choice(names.methods()), default="auto", show_default=True, help="How the ends are found."
)
digits_option = click.option(
    "--digits", metavar="N", type=int, default=15, show_default=True, help="How many proven digits to print."
)
set_options = options(threshold_option, closed_option, method_option, effort_option)


@app.command("set")
@of_activation
@weight_option
@bias_option
@set_options
@certificate_option
@json_option
def explosion_set(
    activation: str | None,
    expr: str | None,
    weight: str,
    bias: str,
    closed: bool,
    certificate: Path | None,
    as_json: bool,
    **asked: Any,
) -> None:
    """Print the inputs x where |σ'(wx + b)·w| > c.

    Example: gradtheory set sigmoid -w 7 -b 1

    Example: gradtheory set gelu -w -12 -b 0.3 --certificate proof.json

    Example: gradtheory set --expr "z*tanh(log(1 + exp(z)))" -w 5
    """
    if certificate is not None:
        read_target(certificate, "certificate")
    record = one_activation(activation, expr)
    result = gt.explosion_set(record, weight, bias, strict=not closed, **asked)
    if certificate is not None:
        write_proof(certificate, gt.certificate(record, weight, bias, strict=not closed, **asked))
    print_result(as_json, **set_and_guarantee(result, "x"))


def write_proof(path: Path, proof: dict[str, Any]) -> None:
    """Write a certificate to a file."""
    write(path, json.dumps(proof, indent=1) + "\n", "certificate")


@app.command()
@of_activation
@input_option
@bias_option
@set_options
@json_option
def weights(
    activation: str | None, expr: str | None, x: str, bias: str, closed: bool, as_json: bool, **asked: Any
) -> None:
    """Print the weights w where |σ'(wx + b)·w| > c, for one x.

    Example: gradtheory weights tanh -x 0
    """
    result = gt.exploding_weights(one_activation(activation, expr), x=x, b=bias, strict=not closed, **asked)
    print_result(as_json, **set_and_guarantee(result, "w"))


@app.command()
@of_activation
@weight_option
@input_option
@set_options
@json_option
def biases(
    activation: str | None, expr: str | None, weight: str, x: str, closed: bool, as_json: bool, **asked: Any
) -> None:
    """Print the biases b where |σ'(wx + b)·w| > c, for one x.

    Example: gradtheory biases relu -w 2 -x 1
    """
    result = gt.exploding_biases(one_activation(activation, expr), w=weight, x=x, strict=not closed, **asked)
    print_result(as_json, **set_and_guarantee(result, "b"))


@app.command()
@click.argument("file", metavar="FILE", type=PATH)
@json_option
def verify(file: Path, as_json: bool) -> None:
    """Check a certificate with a program of its own.

    It shares no code with the solver.

    Example: gradtheory verify proof.json

    Exit code 0 if every statement is proven again, 1 if one is not, 2 if the file cannot be read.
    """
    try:
        certificate = gt.checker.read(file)
    except InvalidArgument as error:
        raise InvalidArgument("file", str(file), error.rule) from None
    report = gt.checker.check(certificate)
    print_result(as_json, verdict=report.verdict, verified=report.ok, reason=report.reason)
    if not report.ok:
        raise click.exceptions.Exit(1)


@app.command()
@of_activation
@weight_option
@threshold_option
@effort_option
@json_option
def width(activation: str | None, expr: str | None, weight: str, threshold: str, effort: float, as_json: bool) -> None:
    """Print the total length of the explosion set.

    It does not depend on the bias.

    Example: gradtheory width sigmoid -w 7
    """
    length = gt.explosion_width(one_activation(activation, expr), weight, threshold=threshold, effort=effort)
    result = {"width": Digits(length, 15)} if as_json else {"width": length, "digits": Digits(length, 15)}
    print_result(as_json, **result, guarantee=gt.guarantee(length))


@app.command()
@of_activation
@threshold_option
@digits_option
@effort_option
@json_option
def widest(activation: str | None, expr: str | None, threshold: str, digits: int, effort: float, as_json: bool) -> None:
    """Print the widest explosion set of all weights, and where it is.

    Example: gradtheory widest sigmoid --digits 50
    """
    require_digits(digits)
    result = gt.widest_explosion(one_activation(activation, expr), threshold=threshold, effort=effort)
    weight = Digits(result.weight, digits)
    print_result(
        as_json,
        width=Digits(result.width, digits),
        weight=weight if as_json or result.is_attained else f"→ {weight}",
        attained=result.is_attained,
        **(_equation(result) if as_json else _formulas(result)),
        guarantee=result.guarantee,
    )


def _equation(result: "gt.WidestExplosion") -> dict[str, str | None]:
    return {"equation": None if result.equation is None else f"{result.equation.lhs} = {result.equation.rhs}"}


def _formulas(result: "gt.WidestExplosion") -> dict[str, str | None]:
    """Return the formulas of K and of its weight, and the equation of the root that they hold."""
    import sympy

    from gradtheory.formulas.text import text

    told = {"width_formula": text(result.width), "weight_formula": text(result.weight), "equation": None}
    if result.equation is not None:
        root = {unknown: sympy.Symbol(f"{unknown}_*") for unknown in result.equation.free_symbols}
        told["equation"] = text(result.equation.xreplace(root))
    return told


def require_digits(digits: int) -> None:
    """Refuse a number of digits that is none, or too many."""
    if not 1 <= digits <= _MOST_DIGITS:
        raise InvalidArgument("digits", digits, f"must be from 1 to {_MOST_DIGITS}")
