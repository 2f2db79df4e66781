"""The claims of the source article in its order, each with a verdict that is computed from what the article states.

A claim holds its numbers as data, so that a test can change one and see the verdict change.
"""

from gradtheory.pages.article import random_weights, sigmoid, training

CLAIMS = (
    sigmoid.DEPTH,
    sigmoid.FACTOR,
    sigmoid.MAXIMUM,
    sigmoid.SATURATION,
    random_weights.WEIGHTS,
    random_weights.LARGE_INITIALISATION,
    training.STEP_SIZE,
    sigmoid.CRITICAL,
    sigmoid.INTERVAL,
    sigmoid.WIDEST,
    sigmoid.NARROW,
    training.OVERFLOW,
    training.WEIGHT_DECAY,
    training.CLIPPING,
    sigmoid.RELU,
    random_weights.SCHEMES,
    training.MOMENTUM,
)
