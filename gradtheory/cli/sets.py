"""Commands for where one factor explodes."""

import json
from pathlib import Path
from typing import Any

import click

import gradtheory as gt
from gradtheory.arithmetic.guarantee import decimal
from gradtheory.cli.group import (
    Choice,
    activation_argument,
    app,
    certificate_option,
    closed_option,
    effort_option,
    expr_option,
    json_option,
    one_activation,
    threshold_option,
    weight_option,
)
from gradtheory.cli.printing import print_result, write_text
from gradtheory.errors import InvalidArgument
from gradtheory.explosion.superlevel import METHODS

_MOST_DIGITS = 100_000

bias_option = click.option("-b", "--bias", metavar="B", default="0", show_default=True, help="The bias.")
input_option = click.option("-x", "--input", "x", metavar="X", required=True, help="The input; taken exactly.")
method_option = click.option(
    "--method", type=Choice(METHODS), default="auto", show_default=True, help="How the ends are found."
)


@app.command("set")
@activation_argument
@expr_option
@weight_option
@bias_option
@threshold_option
@closed_option
@method_option
@effort_option
@certificate_option
@json_option
def explosion_set(
    activation: str | None,
    expr: str | None,
    weight: str,
    bias: str,
    threshold: str,
    closed: bool,
    method: str,
    effort: float,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """Print the set of inputs x where |σ'(wx + b)·w| > c.

    Example: gradtheory set gelu -w -12 -b 0.3 --certificate proof.json

    Example: gradtheory set --expr "z*tanh(log(1 + exp(z)))" -w 5
    """
    record = one_activation(activation, expr)
    options: dict[str, Any] = {"threshold": threshold, "strict": not closed, "method": method, "effort": effort}
    result = gt.explosion_set(record, weight, bias, **options)
    if certificate is not None:
        proof = gt.certificate(record, weight, bias, **options)
        write_text(certificate, json.dumps(proof, indent=1) + "\n", "certificate")
    print_result(as_json, set=result, guarantee=gt.guarantee(result))


@app.command()
@activation_argument
@expr_option
@input_option
@bias_option
@threshold_option
@closed_option
@method_option
@effort_option
@json_option
def weights(
    activation: str | None,
    expr: str | None,
    x: str,
    bias: str,
    threshold: str,
    closed: bool,
    method: str,
    effort: float,
    as_json: bool,
) -> None:
    """Print the set of weights w where |σ'(wx + b)·w| > c, for one input x.

    Example: gradtheory weights tanh -x 0
    """
    result = gt.exploding_weights(
        one_activation(activation, expr),
        x=x,
        b=bias,
        threshold=threshold,
        strict=not closed,
        method=method,
        effort=effort,
    )
    print_result(as_json, set=result, guarantee=gt.guarantee(result))


@app.command()
@activation_argument
@expr_option
@weight_option
@input_option
@threshold_option
@closed_option
@method_option
@effort_option
@json_option
def biases(
    activation: str | None,
    expr: str | None,
    weight: str,
    x: str,
    threshold: str,
    closed: bool,
    method: str,
    effort: float,
    as_json: bool,
) -> None:
    """Print the set of biases b where |σ'(wx + b)·w| > c, for one input x.

    Example: gradtheory biases relu -w 2 -x 1
    """
    result = gt.exploding_biases(
        one_activation(activation, expr),
        w=weight,
        x=x,
        threshold=threshold,
        strict=not closed,
        method=method,
        effort=effort,
    )
    print_result(as_json, set=result, guarantee=gt.guarantee(result))


@app.command()
@click.argument("file", type=click.Path(path_type=Path))
@json_option
def verify(file: Path, as_json: bool) -> None:
    """Check a certificate with a second program that shares no code with the solver.

    Example: gradtheory verify proof.json

    Exit code 0 if every statement is proven again, 1 if one is not, 2 if the file cannot be read.
    """
    report = gt.checker.check(gt.checker.read(file))
    print_result(as_json, verdict=report.verdict, verified=report.ok, reason=report.reason)
    if not report.ok:
        raise click.exceptions.Exit(1)


@app.command()
@activation_argument
@expr_option
@weight_option
@threshold_option
@effort_option
@json_option
def width(activation: str | None, expr: str | None, weight: str, threshold: str, effort: float, as_json: bool) -> None:
    """Print the total length of the explosion set; the bias does not matter.

    Example: gradtheory width sigmoid -w 7
    """
    length = gt.explosion_width(one_activation(activation, expr), weight, threshold=threshold, effort=effort)
    print_result(as_json, width=length, digits=decimal(length, 15), guarantee=gt.guarantee(length))


@app.command()
@activation_argument
@expr_option
@threshold_option
@click.option("--digits", metavar="N", type=int, default=15, show_default=True, help="How many proven digits to print.")
@effort_option
@json_option
def widest(activation: str | None, expr: str | None, threshold: str, digits: int, effort: float, as_json: bool) -> None:
    """Print the widest explosion set over all weights, and the weight where it occurs.

    Example: gradtheory widest sigmoid --digits 50
    """
    if not 1 <= digits <= _MOST_DIGITS:
        raise InvalidArgument("digits", digits, f"must be from 1 to {_MOST_DIGITS}")
    result = gt.widest_explosion(one_activation(activation, expr), threshold=threshold, effort=effort)
    print_result(
        as_json,
        width=decimal(result.width, digits),
        weight=decimal(result.weight, digits),
        attained=result.is_attained,
        width_formula=result.width,
        weight_formula=result.weight,
        equation=f"{result.equation.lhs} = {result.equation.rhs}" if result.equation is not None else None,
        guarantee=result.guarantee,
    )


@app.command()
@activation_argument
@expr_option
@threshold_option
@click.option("--digits", metavar="N", type=int, default=15, show_default=True, help="How many proven digits to print.")
@effort_option
@json_option
def depth(activation: str | None, expr: str | None, threshold: str, digits: int, effort: float, as_json: bool) -> None:
    """Print how wide the explosion set of a chain of any depth can be, and whether depth widens it.

    Example: gradtheory depth sigmoid --digits 50

    The theorem is about class N, where |σ'|^(-1/2) is convex. Of others nothing is claimed, and a witness is printed.
    """
    if not 1 <= digits <= _MOST_DIGITS:
        raise InvalidArgument("digits", digits, f"must be from 1 to {_MOST_DIGITS}")
    bound = gt.depth_bound(one_activation(activation, expr), threshold=threshold, effort=effort)
    print_result(
        as_json,
        at_any_depth=None if bound.value is None else decimal(bound.value, digits),
        widens=bound.widens,
        factor=None if bound.factor is None else decimal(bound.factor, digits),
        threshold=bound.threshold,
        pair=None if bound.pair is None else [decimal(end, digits) for end in bound.pair],
        in_class_n=bound.is_in_class_n,
        reason=bound.reason,
        witness=bound.witness,
        guarantee=bound.guarantee,
    )
