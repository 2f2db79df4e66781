"""Where a factor of the gradient explodes, how widely, and from which weight on."""

import lazy_loader

from gradtheory.explosion.formula import ExplosionFormula, Regime, explosion_formula
from gradtheory.explosion.sets import exploding_biases, exploding_weights, explosion_set
from gradtheory.explosion.variation import largest_value, total_variation
from gradtheory.explosion.widest import WidestExplosion, widest_explosion
from gradtheory.explosion.width import critical_weight, explosion_width

__getattr__, _, _ = lazy_loader.attach(__name__, ["arrays"])

__all__ = [
    "ExplosionFormula",
    "Regime",
    "WidestExplosion",
    "critical_weight",
    "exploding_biases",
    "exploding_weights",
    "explosion_formula",
    "explosion_set",
    "explosion_width",
    "largest_value",
    "total_variation",
    "widest_explosion",
]
