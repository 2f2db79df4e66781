"""Where the gradient product of a whole chain exceeds a threshold, and a bound on the length of that set."""

from gradtheory.explosion.total.bound import total_explosion_bound, total_explosion_theorem
from gradtheory.explosion.total.parameter import exploding_parameter
from gradtheory.explosion.total.total import total_explosion_set

__all__ = ["exploding_parameter", "total_explosion_bound", "total_explosion_set", "total_explosion_theorem"]
