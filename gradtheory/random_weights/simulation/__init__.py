"""Random networks in NumPy, seeded, to hold beside the theory.

>>> random_chains("tanh", depth=40, burn_in=10).exceeds
0.08854 ± 0.000539 (n = 10000)

"""

from gradtheory.errors import public
from gradtheory.random_weights.simulation.chains import ChainSample, random_chains
from gradtheory.random_weights.simulation.measured import Measured
from gradtheory.random_weights.simulation.networks import NetworkSample, random_networks

__all__ = ["ChainSample", "Measured", "NetworkSample", "random_chains", "random_networks"]


public(__name__)
