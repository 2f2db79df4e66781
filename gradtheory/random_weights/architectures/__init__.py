"""Architectures of wide networks at initialisation, from blocks: how gradients grow over their depth."""

from gradtheory.random_weights.architectures import blocks
from gradtheory.random_weights.architectures.architecture import Architecture, Propagation, architecture
from gradtheory.random_weights.architectures.growth import Growth

__all__ = ["Architecture", "Growth", "Propagation", "architecture", "blocks"]
