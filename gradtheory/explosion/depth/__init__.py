"""What depth can do at most: class N, and the widest explosion set of chains of any depth."""

from gradtheory.explosion.depth.bound import DepthBound, depth_bound
from gradtheory.explosion.depth.class_n import Membership, membership
from gradtheory.explosion.depth.two_point import TwoPoint, two_point
from gradtheory.explosion.depth.widest_total import WidestTotalExplosion, widest_total_explosion

__all__ = [
    "DepthBound",
    "Membership",
    "TwoPoint",
    "WidestTotalExplosion",
    "depth_bound",
    "membership",
    "two_point",
    "widest_total_explosion",
]
