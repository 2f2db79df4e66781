"""Commands for training: which steps are stable, what a run does, and what helps a chain."""

from dataclasses import asdict
from typing import Any

import click
import numpy as np
import sympy

import gradtheory as gt
from gradtheory.arithmetic.inputs import Array, read_positive, read_real
from gradtheory.cli.group import Choice, app, json_option
from gradtheory.cli.printing import plain, print_json, print_result
from gradtheory.cli.words import said_lines
from gradtheory.errors import InvalidArgument
from gradtheory.training import optimisers
from gradtheory.training.advice import STEPS
from gradtheory.training.optimisers.catalogue import RULES
from gradtheory.training.stability import StabilityRegion
from gradtheory.training.stability.iteration import BETA, DECAY, H

_NAMES = tuple(RULES)
_optimiser = click.argument("optimiser", type=Choice(_NAMES))
_activation = click.option(
    "--activation", metavar="ACT", default="sigmoid", show_default=True, help="The activation of every layer."
)
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
    help="The curvature of the quadratic, for rmsprop, adam and adamw the preconditioned one; 1 unless given.",
)
@json_option
def stability(optimiser: str, eta: str | None, beta: str | None, h: str | None, as_json: bool) -> None:
    """Print for which learning rates an optimiser converges on a quadratic of curvature h.

    For rmsprop, adam and adamw h is the preconditioned curvature, with the preconditioner held fixed; near the minimum
    they do something else, which is printed too.

    Example: gradtheory stability heavy_ball --beta 0.9 --curvature 10 --eta 0.3

    Exit code 1 if the learning rate that is given is not stable.
    """
    region = gt.stability_region(optimiser)
    told = {
        "region": str(region.condition),
        "limit": region.limit,
        "preconditioned": region.is_preconditioned,
        "curvature": region.curvature,
        "near_zero": region.near_zero,
    }
    if eta is None and beta is None and h is None:
        print_result(as_json, **told)
        return
    point = {"h": read_positive("1" if h is None else h, "curvature"), "beta": _momentum(beta, region)}
    if region.rule.is_decoupled:
        point["weight_decay"] = sympy.S.Zero
    told["at"] = ", ".join(f"{name} = {number}" for name, number in point.items())
    told["largest_eta"] = region.limit.subs({BETA: point["beta"], H: point["h"], DECAY: 0})
    if eta is None:
        print_result(as_json, **told)
        return
    point["eta"] = read_real(eta, "eta")
    stable = region.contains(**point)
    rate = region.rate(**{name: float(number) for name, number in point.items()})
    print_result(as_json, **told, stable=stable, rate=float(rate))
    if not stable:
        raise click.exceptions.Exit(1)


def _momentum(beta: str | None, region: StabilityRegion) -> sympy.Expr:
    number = read_real("0" if beta is None else beta, "beta")
    if beta is not None and not region.has_momentum:
        raise InvalidArgument("beta", beta, f"must not be given: {region.name} has no momentum")
    if number < 0 or number >= 1:
        raise InvalidArgument("beta", beta, "must lie in [0, 1), such as 0.9")
    return number


@app.command()
@_activation
@_weights
@_biases
@_inputs
@_targets
@click.option(
    "--optimiser",
    type=Choice(_NAMES),
    default="gradient_descent",
    show_default=True,
    help="With its usual hyperparameters.",
)
@click.option("--eta", metavar="E", default="0.1", show_default=True, help="The learning rate.")
@click.option("--steps", metavar="N", type=int, default=100, show_default=True, help="How many steps.")
@json_option
def train(
    activation: str,
    weights: str,
    biases: str | None,
    inputs: str | None,
    targets: str | None,
    optimiser: str,
    eta: str,
    steps: int,
    as_json: bool,
) -> None:
    """Train a chain of single neurons, and name what happens: explosions, saturation, jumps, overflow.

    Example: gradtheory train -w 6,6,6 -b -3,-3,-3 --eta 2 --steps 50
    """
    problem = _problem(activation, weights, biases, inputs, targets)
    run = gt.train(*problem, optimiser=getattr(optimisers, optimiser)(_number(eta, "eta")), steps=steps)
    first, last = (float(run.loss[place]) if run.loss.size else None for place in (0, -1))
    if as_json:
        events = [
            {
                "step": event.step,
                "last_step": event.last_step,
                "count": event.count,
                "kind": event.kind.value,
                "layer": event.layer,
                "cause": event.cause,
            }
            for event in run.events
        ]
        ends = {"w": run.w[-1:].tolist(), "b": run.b[-1:].tolist(), "loss": [plain(float(each)) for each in run.loss]}
        print_json({"steps": run.steps, "diverged": run.has_diverged, **ends, "events": events})
        return
    print_result(False, steps=run.steps, diverged=run.has_diverged, loss_at_first=first, loss_at_last=last)
    for event in run.events:
        click.echo(said_lines(str(event)))


@app.command()
@_activation
@_weights
@_biases
@_inputs
@_targets
@json_option
def advise(
    activation: str, weights: str, biases: str | None, inputs: str | None, targets: str | None, as_json: bool
) -> None:
    """Say which layers of a chain explode or vanish, and which remedy with which constant helps.

    Each is tried on the loss, by gradient descent with it and without it; what is not advised says what it costs.

    Example: gradtheory advise -w 8,8,8 -b -4,-4,-4
    """
    advice = gt.advise(*_problem(activation, weights, biases, inputs, targets))
    if not as_json:
        click.echo(said_lines(str(advice)))
        return
    told = asdict(advice) | {"exploding": advice.exploding, "vanishing": advice.vanishing}
    for shown, remedy in zip(told["remedies"], advice.remedies, strict=True):
        shown |= {"value": np.asarray(remedy.value).tolist(), "promise": remedy.promise, "steps": STEPS}
    print_json(_plain(told))


def _plain(value: Any) -> Any:
    """Return nested results as JSON takes them."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else plain(value)


def _problem(
    activation: str, weights: str, biases: str | None, inputs: str | None, targets: str | None
) -> tuple[gt.Chain, Array, Array, Array, Array]:
    w: Array = _numbers(weights, "weights")
    b: Array = np.zeros(len(w)) if biases is None else _numbers(biases, "biases")
    x: Array = np.linspace(-1.0, 1.0, 20) if inputs is None else _numbers(inputs, "inputs")
    y: Array = np.where(x > 0.0, 1.0, 0.0) if targets is None else _numbers(targets, "targets")
    if len(b) != len(w):
        raise InvalidArgument("biases", biases, f"must be {len(w)} numbers, one for each weight")
    if len(y) != len(x):
        raise InvalidArgument("targets", targets, f"must be {len(x)} numbers, one for each input")
    return gt.Chain(len(w), activation), x, y, w, b


def _numbers(text: str, name: str) -> Array:
    return np.array([_number(part, name) for part in text.split(",")])


def _number(text: str, name: str) -> Any:
    return float(read_real(text.strip(), name))
