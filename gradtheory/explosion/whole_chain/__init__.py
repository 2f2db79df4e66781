"""Where the gradient product of a whole chain exceeds a threshold, and a bound on the length of that set."""

from gradtheory.explosion.whole_chain.bound import total_explosion_bound, total_explosion_theorem
from gradtheory.explosion.whole_chain.explosion_set import total_explosion_set
from gradtheory.explosion.whole_chain.parameter import exploding_parameter

__all__ = ["exploding_parameter", "total_explosion_bound", "total_explosion_set", "total_explosion_theorem"]
