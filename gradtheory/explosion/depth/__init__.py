"""What depth can do at most: class N, and the widest explosion set of chains of any depth."""

from gradtheory.explosion.depth.bound import DepthBound, depth_bound
from gradtheory.explosion.depth.class_n import Membership, membership
from gradtheory.explosion.depth.two_point import TwoPoint, two_point

__all__ = ["DepthBound", "Membership", "TwoPoint", "depth_bound", "membership", "two_point"]
