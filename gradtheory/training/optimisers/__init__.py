"""Optimisers as PyTorch defines them: rules of steps, which train in NumPy and prove in SymPy.

>>> optimiser = heavy_ball(eta=0.1, beta=0.9)
>>> state = optimiser.start([[1.0, -2.0]])
>>> state = optimiser.step(state, [[0.5, 0.5]])
>>> state.parameters
(array([ 0.95, -2.05]),)

Symbols: η (`eta`) is the learning rate, β (`beta`) the momentum, λ (`weight_decay`) the weight decay.
"""

from gradtheory.errors import public
from gradtheory.training.optimisers.catalogue import *  # noqa: F403  # a function for each of the rules
from gradtheory.training.optimisers.catalogue import RULES
from gradtheory.training.optimisers.optimiser import Optimiser, State

__all__ = ["Optimiser", "State", *RULES]  # noqa: PLE0604  # these are texts


public(__name__)
