"""Chains of single neurons with random weights: the law of one factor, and the growth of the product of many.

>>> round(lyapunov_exponent("tanh").value, 9)
-1.638025309

"""

from gradtheory.random_weights.lyapunov.exponent import lyapunov_exponent
from gradtheory.random_weights.lyapunov.factor import factor_probability
from gradtheory.random_weights.lyapunov.largest_exponent import LargestExponent, largest_lyapunov_exponent
from gradtheory.random_weights.lyapunov.result import LyapunovExponent

__all__ = [
    "LargestExponent",
    "LyapunovExponent",
    "factor_probability",
    "largest_lyapunov_exponent",
    "lyapunov_exponent",
]
