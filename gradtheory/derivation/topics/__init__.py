"""The derivations, one file each: what is given, and the steps."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gradtheory.derivation.topics.clipping import clipping
from gradtheory.derivation.topics.explosion import explosion
from gradtheory.derivation.topics.gradient import gradient
from gradtheory.derivation.topics.initialisation import initialisation
from gradtheory.derivation.topics.question import Answer, Question
from gradtheory.derivation.topics.slope_maximum import slope_maximum
from gradtheory.derivation.topics.stability import stability
from gradtheory.derivation.topics.weak_norm import weak_norm
from gradtheory.derivation.topics.weight_decay import weight_decay
from gradtheory.derivation.topics.widest import widest

__all__ = ["TOPICS", "Answer", "Question"]

TOPICS: Mapping[str, Callable[[Question], Answer]] = MappingProxyType(
    {
        each.__name__: each
        for each in (
            *(gradient, slope_maximum, explosion, widest, weak_norm),
            *(stability, weight_decay, clipping, initialisation),
        )
    }
)
