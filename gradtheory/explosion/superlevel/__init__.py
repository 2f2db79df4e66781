"""Superlevel sets of |σ'|: the one object per activation from which explosion sets follow."""

from gradtheory.explosion.superlevel.component import Component, as_set, total_length
from gradtheory.explosion.superlevel.of_activation import superlevel, superlevel_sets, with_margin
from gradtheory.explosion.superlevel.one_level import OneLevel
from gradtheory.explosion.superlevel.periodic import Periodic, components_of, repeated
from gradtheory.explosion.superlevel.superlevel_set import METHODS, SuperlevelSet

__all__ = [
    "METHODS",
    "Component",
    "OneLevel",
    "Periodic",
    "SuperlevelSet",
    "as_set",
    "components_of",
    "repeated",
    "superlevel",
    "superlevel_sets",
    "with_margin",
    "total_length",
]
