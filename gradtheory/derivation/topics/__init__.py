"""The derivations, one file each: what is defined, and the steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from gradtheory.derivation.topics.attention import attention
from gradtheory.derivation.topics.batch_norm import batch_norm
from gradtheory.derivation.topics.clipping import clipping
from gradtheory.derivation.topics.depth import depth
from gradtheory.derivation.topics.dropout import dropout
from gradtheory.derivation.topics.explosion import explosion
from gradtheory.derivation.topics.gradient import gradient
from gradtheory.derivation.topics.initialisation import initialisation
from gradtheory.derivation.topics.layer_norm import layer_norm
from gradtheory.derivation.topics.question import EVERY_PARAMETER, Answer, Question
from gradtheory.derivation.topics.recurrent import recurrent
from gradtheory.derivation.topics.residual import residual
from gradtheory.derivation.topics.slope_maximum import slope_maximum
from gradtheory.derivation.topics.stability import stability
from gradtheory.derivation.topics.weak_norm import weak_norm
from gradtheory.derivation.topics.weight_decay import weight_decay
from gradtheory.derivation.topics.widest import widest

__all__ = ["EVERY_PARAMETER", "TOPICS", "Answer", "Question", "Topic"]


@dataclass(frozen=True)
class Topic:
    """A derivation, the arguments of `gradtheory.derive` that it uses, and which of them only with values."""

    derive: Callable[[Question], Answer]
    arguments: tuple[str, ...] = ("activation",)
    with_values: tuple[str, ...] = ()

    def used(self, values: bool) -> tuple[str, ...]:
        """Return the arguments that it uses, with values or without."""
        return tuple(name for name in self.arguments if values or name not in self.with_values)


TOPICS: Mapping[str, Topic] = MappingProxyType(
    {
        "gradient": Topic(gradient, ("activation", "depth", "wrt", "loss", "values")),
        "slope_maximum": Topic(slope_maximum),
        "explosion": Topic(explosion, ("activation", "values")),
        "widest": Topic(widest),
        "weak_norm": Topic(weak_norm),
        "depth": Topic(depth),
        "stability": Topic(stability, ("optimiser",)),
        "weight_decay": Topic(weight_decay),
        "clipping": Topic(clipping),
        "initialisation": Topic(initialisation, ("activation", "depth", "values"), with_values=("depth",)),
        "residual": Topic(residual, ()),
        "layer_norm": Topic(layer_norm, ()),
        "batch_norm": Topic(batch_norm, ()),
        "dropout": Topic(dropout, ()),
        "recurrent": Topic(recurrent),
        "attention": Topic(attention, ()),
    }
)
