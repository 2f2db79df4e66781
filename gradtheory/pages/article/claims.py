"""The claims of the source article in its order, each with a verdict that is computed from what the article states.

A claim holds its numbers as data, so that a test can change one and see the verdict change.
"""

from gradtheory.pages.article import activations, chain, random_weights, remedies, sigmoid, training

CLAIMS = (
    chain.DEPTH,
    chain.NEAR_OUTPUT,
    sigmoid.TAILS,
    sigmoid.SATURATION,
    random_weights.LARGE_INITIALISATION,
    training.STEP_SIZE,
    chain.LOSS,
    chain.GRADIENTS,
    chain.BETWEEN_LAYERS,
    chain.WIDE,
    sigmoid.MAXIMUM,
    random_weights.STANDARD_METHOD,
    random_weights.WEIGHTS,
    random_weights.VANISHING,
    chain.FACTOR,
    sigmoid.CRITICAL,
    sigmoid.INTERVAL,
    sigmoid.WIDEST,
    sigmoid.NARROW,
    training.OVERFLOW,
    training.JUMPS,
    remedies.WEIGHT_DECAY,
    remedies.LASSO,
    remedies.CLIPPING,
    activations.STEEP,
    activations.RELU,
    activations.VARIANTS,
    random_weights.SCHEMES,
    random_weights.FANS,
    random_weights.GAINS,
    training.MOMENTUM,
)
