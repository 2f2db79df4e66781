"""Superlevel sets of |σ'|: the one object per activation from which explosion sets follow."""

from gradtheory.superlevel.closed_form import components
from gradtheory.superlevel.component import Component, as_set, total_length

__all__ = ["Component", "as_set", "components", "total_length"]
