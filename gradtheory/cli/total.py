"""Commands for where the gradient of a whole chain explodes, and for chains of any depth."""

from pathlib import Path

import click

import gradtheory as gt
from gradtheory.cli.group import (
    app,
    certificate_option,
    closed_option,
    effort_option,
    json_option,
    of_activation,
    one_activation,
    threshold_option,
)
from gradtheory.cli.printing import print_result
from gradtheory.cli.results import Digits, set_and_guarantee
from gradtheory.cli.sets import digits_option, require_digits, write_proof
from gradtheory.document.files import read_target
from gradtheory.errors import InvalidArgument


@app.command()
@of_activation
@click.option(
    "-w",
    "--weights",
    "--weight",
    metavar="W,W,…",
    multiple=True,
    required=True,
    help="The weights, one a layer, from the first to the last; taken exactly. It may be given again, as -w 5 -w 5.",
)
@click.option(
    "-b", "--biases", "--bias", metavar="B,B,…", multiple=True, help="The biases, one a layer; 0 unless given."
)
@click.option("--depth", metavar="L", type=int, help="How many layers, where one weight and one bias are those of all.")
@threshold_option
@closed_option
@effort_option
@certificate_option
@json_option
def total(
    activation: str | None,
    expr: str | None,
    weights: tuple[str, ...],
    biases: tuple[str, ...],
    depth: int | None,
    threshold: str,
    closed: bool,
    effort: float,
    certificate: Path | None,
    as_json: bool,
) -> None:
    """Print the inputs x where the gradient of a whole chain exceeds c.

    The chain is a_l = σ(w_l·a_(l-1) + b_l) with a_0 = x, one neuron a layer; its gradient |∂a_L/∂x| is the product of
    all factors |σ'(z_l)·w_l|.

    Example: gradtheory total sigmoid -w 5,5 -b -2.5,-2.5 --certificate proof.json

    Example: gradtheory total sigmoid -w 5 -b -2.5 --depth 1000

    For activations of class N, where |σ'|^(-1/2) is convex (`gradtheory depth ACT` says whether), the set is one
    interval, at any depth. `longest` is how long it can be for other weights and biases, by which theorem.
    """
    import sympy

    if certificate is not None:
        read_target(certificate, "certificate")
    every_weight, every_bias = ",".join(weights), ",".join(biases) or "0"
    count = len(every_weight.split(",")) if depth is None else depth
    chain = gt.Chain(depth=count, activation=one_activation(activation, expr))
    w, b = _of_all(every_weight, count, "weights"), _of_all(every_bias, count, "biases")
    result = gt.total_explosion_set(chain, w=w, b=b, threshold=threshold, strict=not closed, effort=effort)
    if certificate is not None:
        proof = gt.certificate(chain, w, b, threshold=threshold, strict=not closed, effort=effort)
        write_proof(certificate, proof)
    print_result(
        as_json,
        **set_and_guarantee(result, "x"),
        length=Digits(sympy.S.Zero + result.measure, 12),
        longest=Digits(gt.total_explosion_bound(chain, threshold=threshold, effort=effort), 12),
        theorem=gt.total_explosion_theorem(chain, effort=effort),
    )


def _of_all(values: str, count: int, name: str) -> list[str]:
    """Return a number for each layer: all are given, or one is that of all."""
    numbers = values.split(",")
    if len(numbers) not in (1, count):
        rule = f"must be one number, or as many as layers with commas between them, here {count}"
        raise InvalidArgument(name, values, rule)
    return numbers * (count if len(numbers) == 1 else 1)


@app.command()
@of_activation
@threshold_option
@digits_option
@effort_option
@json_option
def depth(activation: str | None, expr: str | None, threshold: str, digits: int, effort: float, as_json: bool) -> None:
    """Print how wide the explosion set can be in a chain of any depth.

    And whether depth widens it.

    Example: gradtheory depth sigmoid --digits 50

    The theorem is about class N, where |σ'|^(-1/2) is convex. Of others nothing is claimed, and a witness is printed.
    """
    require_digits(digits)
    bound = gt.depth_bound(one_activation(activation, expr), threshold=threshold, effort=effort)
    value, factor = (None if each is None else Digits(each, digits) for each in (bound.value, bound.factor))
    print_result(
        as_json,
        at_any_depth=value,
        widens=bound.widens,
        factor=factor,
        threshold=bound.threshold,
        pair=None if bound.pair is None else [Digits(end, digits) for end in bound.pair],
        in_class_n=bound.is_in_class_n,
        reason=bound.reason,
        witness=bound.witness,
        guarantee=bound.guarantee,
    )
