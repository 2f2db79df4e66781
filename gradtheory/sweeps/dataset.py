"""The numbers of a sweep as an xarray Dataset, each with what it is, its unit and its errors."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gradtheory.arithmetic.chunks import unpacked
from gradtheory.sweeps.plan import Plan

if TYPE_CHECKING:
    from xarray import Dataset

# By the last word of a name: what it is, and its unit; "1" is a number without one.
_MEANINGS: Mapping[str, tuple[str, str]] = {
    "sigma_w": ("standard deviation of weights, times the root of fan_in", "1"),
    "sigma_b": ("standard deviation of biases", "1"),
    "q": ("variance of pre-activations", "1"),
    "c": ("correlation of two inputs", "1"),
    "chi": ("factor of the gradient's mean square per layer", "1"),
    "chi_parallel": ("factor of a deviation of the variance per layer", "1"),
    "is_stable": ("whether variances nearby are drawn there", "1"),
    "xi_q": ("depth scale of the variance", "layers"),
    "xi_c": ("depth scale of the correlation", "layers"),
    "xi_gradient": ("depth scale of the gradient's mean square", "layers"),
    "value": ("Lyapunov exponent", "1/layer"),
    "mean_square_rate": ("rate of the root mean square of the gradient", "1/layer"),
}


def dataset(plan: Plan, whole: Any) -> "Dataset":
    """Return numbers that stand side by side as variables with coordinates."""
    from xarray import Dataset

    variables: dict[str, Any] = {}
    for part, values, errors in unpacked(whole, plan.parts):
        name = part.named(plan.name)
        dimensions = (*plan.coordinates, *(f"{name}_{axis}" for axis in range(len(part.core))))
        about = _about(part.path[-1] if part.path else name)
        variables[name] = dimensions, values, about
        if errors is not None:
            bound = {**about, "long_name": f"bound of the absolute error of {name}"}
            variables[f"{name}_error"] = dimensions, errors, bound
            about["ancillary_variables"] = f"{name}_error"
    coordinates = {name: (name, values, _about(name)) for name, values in plan.coordinates.items()}
    return Dataset(variables, coordinates, plan.provenance)


def _about(name: str) -> dict[str, str]:
    return dict(zip(("long_name", "units"), _MEANINGS.get(name, (name, "1")), strict=True))
