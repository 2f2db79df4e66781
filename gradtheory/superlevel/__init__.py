"""Superlevel sets of |σ'|: the one object per activation from which explosion sets follow."""

from gradtheory.superlevel.component import Component, as_set, total_length
from gradtheory.superlevel.level import METHODS, Level
from gradtheory.superlevel.periodic import Periodic, components_of, repeated

__all__ = ["METHODS", "Component", "Level", "Periodic", "as_set", "components_of", "repeated", "total_length"]
