"""Commands for networks with random weights: theory, and simulation beside it."""

import functools
import math

import click

import gradtheory as gt
from gradtheory.cli.group import NUMBER, app, json_option, of_activation, one_activation, options
from gradtheory.cli.printing import print_result, short
from gradtheory.cli.progress import counted
from gradtheory.cli.words import said

_scales = options(
    click.option(
        "--sigma-w", metavar="S", type=NUMBER, default=1.0, show_default=True, help="Standard deviation of the weights."
    ),
    click.option(
        "--sigma-b", metavar="S", type=NUMBER, default=1.0, show_default=True, help="Standard deviation of the biases."
    ),
)


@app.command()
@of_activation
@_scales
@json_option
def lyapunov(activation: str | None, expr: str | None, sigma_w: float, sigma_b: float, as_json: bool) -> None:
    """Print how gradients of chains with random weights grow per layer.

    There is one neuron a layer.

    "typical" is the Lyapunov exponent: the mean of log|factor|, which almost every chain follows. Where slopes of 0
    make it -inf, "surviving" is the mean over chains that meet none.

    Example: gradtheory lyapunov sigmoid --sigma-w 4
    """
    from gradtheory.random_weights.overflow import FLOAT_TYPES

    record = one_activation(activation, expr)
    exponent = gt.lyapunov_exponent(record, sigma_w, sigma_b)

    def lasting(dtype: str) -> int | float | None:
        """Return after how many layers half of the gradients are beyond one end of a type; None if that is not told."""
        try:
            return gt.overflow_depth(exponent, dtype)
        except gt.errors.InvalidArgument:
            return None

    layers = {f"{name}_layers": lasting(name) for name in FLOAT_TYPES}
    print_result(
        as_json,
        sigma_w=sigma_w,
        sigma_b=sigma_b,
        typical=exponent.value,
        error=exponent.error,
        mean_square=float(exponent.mean_square),
        mean_square_rate=None if math.isnan(exponent.mean_square_rate) else float(exponent.mean_square_rate),
        growth_per_layer=exponent.growth,
        **_told(as_json, surviving=None if math.isfinite(exponent.value) else exponent.surviving_value),
        **layers,
        reason=(exponent.reason if as_json else "; ".join(map(said, exponent.reason.split("; ")))) or None,
    )


@app.command()
@of_activation
@click.option("--sigma-b", metavar="S", type=NUMBER, default=0.0, show_default=True, help="The scale of the biases.")
@json_option
def edge(activation: str | None, expr: str | None, sigma_b: float, as_json: bool) -> None:
    """Print the edge of chaos of wide layers.

    On it lies the scale of the weights at which gradients neither vanish nor explode.

    Example: gradtheory edge tanh --sigma-b 0.3

    Exit code 1 if there is none.
    """
    edge = gt.meanfield.edge_of_chaos(one_activation(activation, expr), sigma_b)
    if edge:
        told = _told(as_json, sigma_w=edge.sigma_w, variance=edge.q)
        print_result(as_json, sigma_b=sigma_b, **told, stable=edge.stable, reason=None)
        return
    print_result(
        as_json, sigma_b=sigma_b, **_told(as_json, sigma_w=None, variance=None), stable=None, reason=edge.reason
    )
    raise click.exceptions.Exit(1)


def _told(as_json: bool, **numbers: gt.Estimate | None) -> dict[str, float | None]:
    """Return what is printed of numbers: in JSON plain ones, with their errors in fields of their own."""
    if not as_json:
        return dict(numbers)
    plain = {name: None if number is None else float(number) for name, number in numbers.items()}
    return plain | {f"{name}_error": None if number is None else number.error for name, number in numbers.items()}


@app.command()
@of_activation
@json_option
def critical(activation: str | None, expr: str | None, as_json: bool) -> None:
    """Print the critical initialisation of wide layers.

    There also differences between inputs are kept.

    Example: gradtheory critical gelu

    Exit code 1 if there is none.
    """
    critical_point = gt.meanfield.critical_initialisation(one_activation(activation, expr))
    print_result(
        as_json,
        kind=critical_point.kind,
        **_told(as_json, sigma_w=critical_point.sigma_w, sigma_b=critical_point.sigma_b, variance=critical_point.q),
        reason=critical_point.reason or None,
    )
    if not critical_point:
        raise click.exceptions.Exit(1)


@app.command()
@of_activation
@_scales
@click.option("--depth", metavar="N", type=int, default=100, show_default=True, help="The number of layers.")
@click.option("--chains", metavar="N", type=int, default=10_000, show_default=True, help="How many chains.")
@click.option("--seed", metavar="N", type=click.IntRange(min=0), default=0, show_default=True, help="Of the generator.")
@json_option
def simulate(
    activation: str | None,
    expr: str | None,
    sigma_w: float,
    sigma_b: float,
    depth: int,
    chains: int,
    seed: int,
    as_json: bool,
) -> None:
    """Simulate chains with random weights, beside the theory.

    There is one neuron a layer.

    The first half of the layers lets the law of z settle.

    Example: gradtheory simulate tanh --sigma-w 2 --sigma-b 0.5
    """
    record = one_activation(activation, expr)
    theory = gt.lyapunov_exponent(record, sigma_w, sigma_b)  # first: it refuses what no simulation can show
    sample = gt.simulation.random_chains(
        record,
        depth,
        sigma_w,
        sigma_b,
        chains=chains,
        burn_in=depth // 2,
        seed=seed,
        progress=functools.partial(counted, what="chains"),
    )
    low, high = sample.log_factor.interval()
    print_result(
        as_json,
        typical_simulated=float(sample.log_factor.mean),
        interval_95=[float(low), float(high)] if as_json else f"{short(float(low))} to {short(float(high))}",
        typical_theory=theory.value,
        mean_square_simulated=0.5 * math.log(sample.square_factor.mean) if sample.square_factor.mean else -math.inf,
        mean_square_theory=float(theory.mean_square),
        share_above_1=float(sample.exceeds.mean),
    )
