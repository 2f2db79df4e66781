"""The remedies against exploding gradients: what each guarantees, and the step of it in NumPy.

1. Weight decay: `weight_decay_guarantee`, `adam_step_bound`, `soft_threshold`.
2. Clipping: `clip_by_value`, `clip_by_norm`, `clip_by_global_norm`, `adaptive_clip`, and `clipping` for a run.
3. The activation: `compare_activations`.
4. The initialisation: `initial_factor_guarantee`.
5. Step size and momentum: `warm_up`, `stable_schedule`, and `gradtheory.stability_region`.

>>> clip_by_value([3.0, -0.5], 1.0)
array([ 1. , -0.5])

"""

from gradtheory.errors import public
from gradtheory.training.remedies.activation_choice import ActivationRow, Comparison, compare_activations
from gradtheory.training.remedies.adam_step_bound import adam_step_bound
from gradtheory.training.remedies.clipping import (
    Clipped,
    Clipping,
    adaptive_clip,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    clipping,
)
from gradtheory.training.remedies.initial_factor import InitialFactorBound, initial_factor_guarantee
from gradtheory.training.remedies.step_size import stable_schedule, warm_up
from gradtheory.training.remedies.weight_decay import (
    WeightDecayBound,
    soft_threshold,
    weight_decay_guarantee,
)

__all__ = [
    "ActivationRow",
    "Clipped",
    "Clipping",
    "Comparison",
    "InitialFactorBound",
    "WeightDecayBound",
    "adam_step_bound",
    "adaptive_clip",
    "clip_by_global_norm",
    "clip_by_norm",
    "clip_by_value",
    "clipping",
    "compare_activations",
    "initial_factor_guarantee",
    "soft_threshold",
    "stable_schedule",
    "warm_up",
    "weight_decay_guarantee",
]


public(__name__)
