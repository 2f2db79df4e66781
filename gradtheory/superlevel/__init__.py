"""Superlevel sets of |σ'|: the one object per activation from which explosion sets follow."""

from gradtheory.superlevel.component import Component, as_set, total_length
from gradtheory.superlevel.level import METHODS, Level

__all__ = ["METHODS", "Component", "Level", "as_set", "total_length"]
