"""What an audit says as plain values, for JSON."""

import dataclasses
import math
from typing import Any

from gradtheory.training.advice import NetworkPrescription

_HIDDEN = ("fans", "gradient_sizes", "activation", "singular_values", "blocks", "trial", "headline")


def fields_of(result: Any) -> dict[str, Any]:
    """Return the fields of a report, or of a layer."""
    names = (field.name for field in dataclasses.fields(result) if field.name not in _HIDDEN)
    return {name: plain(getattr(result, name)) for name in names}


def remedy_fields(remedy: NetworkPrescription) -> dict[str, Any]:
    """Return what a remedy is, and its runs."""
    value = remedy.value.tolist() if hasattr(remedy.value, "tolist") else remedy.value
    names = ("layer", "loss_without", "loss_with", "improvement", "growth_without", "growth_with", "cost")
    told = {name: plain(getattr(remedy, name)) for name in names}
    trial = {"optimiser": repr(remedy.optimiser), "steps": remedy.steps}
    return {"kind": remedy.kind, "value": value, "works": remedy.works} | told | trial


def plain(value: Any) -> Any:
    """Return a value, or None for a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
