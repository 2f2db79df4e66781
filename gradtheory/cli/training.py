"""Commands for training: which steps are stable, what a run does, and what helps a chain."""

from typing import TYPE_CHECKING, Any

import click

import gradtheory as gt
from gradtheory.cli import names
from gradtheory.cli.group import activation_option, app, expr_option, json_option, one_activation, options
from gradtheory.cli.help import Choice
from gradtheory.cli.printing import print_json, print_result, say
from gradtheory.cli.words import said_lines
from gradtheory.errors import InvalidArgument

if TYPE_CHECKING:
    import sympy

    from gradtheory.arithmetic.inputs import Array
    from gradtheory.training.stability import StabilityRegion

_NAMES = names.optimisers()
_optimiser = click.argument("optimiser", metavar="OPTIMISER", type=Choice(_NAMES))
_weights = click.option(
    "-w", "--weights", metavar="W,W,…", required=True, help="The weights, one a layer, such as 8,8,8."
)
_biases = click.option("-b", "--biases", metavar="B,B,…", help="The biases, one a layer; 0 unless given.")
_inputs = click.option("-x", "--inputs", metavar="X,X,…", help="The inputs; 20 from -1 to 1 unless given.")
_targets = click.option(
    "-y", "--targets", metavar="Y,Y,…", help="Their targets; 0 for inputs up to 0, else 1, unless given."
)


@app.command()
@_optimiser
@click.option("--eta", metavar="E", help="A learning rate: is it stable?")
@click.option("--beta", metavar="B", help="The momentum, from 0 to below 1; 0 unless given.")
@click.option(
    "--curvature",
    "h",
    metavar="H",
    help="The curvature of the quadratic, for adaptive optimisers the preconditioned one; 1 unless given.",
)
@json_option
def stability(optimiser: str, eta: str | None, beta: str | None, h: str | None, as_json: bool) -> None:
    """Print the stable learning rates of an optimiser.

    With them it converges on a quadratic of curvature h.

    OPTIMISER is gradient_descent, heavy_ball, nesterov, rmsprop, adam or adamw.

    For adaptive ones, such as adam, h is the preconditioned curvature, with the preconditioner held fixed; near the
    minimum they do something else, which is printed too.

    Example: gradtheory stability heavy_ball --beta 0.9 --curvature 10 --eta 0.3

    Exit code 1 if the learning rate that is given is not stable.
    """
    import sympy

    from gradtheory.arithmetic.inputs import read_positive
    from gradtheory.formulas.text import text
    from gradtheory.training.stability.iteration import BETA, DECAY, H

    region = gt.stability_region(optimiser)
    told: dict[str, Any] = {
        "region": region.condition,
        "limit": region.limit,
        "preconditioned": region.is_preconditioned,
        "curvature": region.curvature,
        "near_zero": region.near_zero,
        **dict.fromkeys(("at", "largest_eta", "stable", "rate")),
    }
    if eta is None and beta is None and h is None:
        print_result(as_json, **told)
        return
    point = {"h": read_positive("1" if h is None else h, "curvature"), "beta": _momentum(beta, region)}
    if region.rule.is_decoupled:
        point["weight_decay"] = sympy.S.Zero
    values = {text(sympy.Symbol(name)): text(number) for name, number in point.items()}
    told["at"] = dict(point) if as_json else ", ".join(map(" = ".join, values.items()))
    told["largest_eta"] = region.limit.subs({BETA: point["beta"], H: point["h"], DECAY: 0})
    if eta is None:
        print_result(as_json, **told)
        return
    point["eta"] = read_positive(eta, "eta")
    told["stable"] = region.contains(**point)
    told["rate"] = float(region.rate(**{name: float(number) for name, number in point.items()}))
    print_result(as_json, **told)
    if not told["stable"]:
        raise click.exceptions.Exit(1)


def _momentum(beta: str | None, region: "StabilityRegion") -> "sympy.Expr":
    from gradtheory.arithmetic.inputs import read_real

    number = read_real("0" if beta is None else beta, "beta")
    if beta is not None and not region.has_momentum:
        raise InvalidArgument("beta", beta, f"must not be given: {region.name} has no momentum")
    if number < 0 or number >= 1:
        raise InvalidArgument("beta", beta, "must lie in [0, 1), such as 0.9")
    return number


_problem_options = options(activation_option, expr_option, _weights, _biases, _inputs, _targets)
run_options = options(
    _problem_options,
    click.option(
        "--optimiser",
        type=Choice(_NAMES),
        default="gradient_descent",
        show_default=True,
        help="With its usual hyperparameters.",
    ),
    click.option("--eta", metavar="E", default="0.1", show_default=True, help="The learning rate."),
    click.option("--steps", metavar="N", type=int, default=100, show_default=True, help="How many steps."),
)


def trained(*, optimiser: str, eta: str, steps: int, **problem: Any) -> Any:
    """Return the run that the options ask for."""
    start = _problem(**problem)
    from gradtheory.arithmetic.inputs import read_near_float

    rate = read_near_float(eta, "eta")
    return gt.train(*start, optimiser=getattr(gt.optimisers, optimiser)(rate), steps=steps)


@app.command()
@run_options
@json_option
def train(as_json: bool, **asked: Any) -> None:
    """Train a chain of single neurons, and name what happens.

    That is: explosions, saturation, jumps of the loss, overflow.

    Example: gradtheory train -w 6,6,6 -b -3,-3,-3 --eta 2 --steps 50
    """
    run = trained(**asked)
    if as_json:
        ends = {"w": run.w[-1:], "b": run.b[-1:], "loss": run.loss}
        print_json(steps=run.steps, diverged=run.has_diverged, **ends, events=run.events)
        return
    first, last = (float(run.loss[place]) if run.loss.size else None for place in (0, -1))
    print_result(False, steps=run.steps, diverged=run.has_diverged, loss_at_first=first, loss_at_last=last)
    for event in run.events:
        say(said_lines(str(event)))


@app.command()
@_problem_options
@json_option
def advise(as_json: bool, **asked: Any) -> None:
    """Say what is wrong with a chain, and which remedy helps.

    Each is tried on the loss, by gradient descent with it and without it; what is not advised says what it costs.

    Example: gradtheory advise -w 8,8,8 -b -4,-4,-4
    """
    advice = gt.advise(*_problem(**asked))
    if not as_json:
        say(said_lines(str(advice)))
        return
    from gradtheory.cli.results import as_json as told
    from gradtheory.training.advice import STEPS

    remedies = [told(remedy) | {"promise": remedy.promise, "steps": STEPS} for remedy in advice.remedies]
    print_json(**told(advice) | {"remedies": remedies, "exploding": advice.exploding, "vanishing": advice.vanishing})


def _problem(
    *,
    activation: str | None,
    expr: str | None,
    weights: str,
    biases: str | None,
    inputs: str | None,
    targets: str | None,
) -> tuple["gt.Chain", "Array", "Array", "Array", "Array"]:
    import numpy as np

    w: Array = _numbers(weights, "weights")
    b: Array = np.zeros(len(w)) if biases is None else _numbers(biases, "biases")
    x: Array = np.linspace(-1.0, 1.0, 20) if inputs is None else _numbers(inputs, "inputs")
    y: Array = np.where(x > 0.0, 1.0, 0.0) if targets is None else _numbers(targets, "targets")
    if len(b) != len(w):
        raise InvalidArgument("biases", biases, f"must be as many numbers as there are weights, {len(w)}")
    if len(y) != len(x):
        raise InvalidArgument("targets", targets, f"must be as many numbers as there are inputs, {len(x)}")
    return gt.Chain(len(w), one_activation(activation, expr, "sigmoid")), x, y, w, b


def _numbers(text: str, name: str) -> "Array":
    import numpy as np

    from gradtheory.arithmetic.inputs import read_near_float

    return np.array([read_near_float(part.strip(), name) for part in text.split(",")])
