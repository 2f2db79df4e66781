"""Superlevel sets of |σ'|: the one object per activation from which explosion sets follow."""

from gradtheory.explosion.superlevel.component import Component, as_set, total_length
from gradtheory.explosion.superlevel.level import METHODS, Level
from gradtheory.explosion.superlevel.periodic import Periodic, components_of, repeated

__all__ = ["METHODS", "Component", "Level", "Periodic", "as_set", "components_of", "repeated", "total_length"]
