r"""The Jacobian of a network whose units have independent slopes: its norm is greatest where each is at an end.

The Jacobian is affine in the slope of one unit, so its norm is convex in it, and at most the greater of those at the
two ends of the slope's range. So the unit that adds most to the bound is set to either end, again and again, of the
case that has the greatest bound.
"""

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import replace

from gradtheory.networks.bounds.deviations import Deviations, deviations
from gradtheory.networks.bounds.enclosure import Enclosure
from gradtheory.networks.bounds.ranges import Range
from gradtheory.networks.nodes import Node

_WINDOW, _LEAST = 8, 0.98  # no more cuts where so many of them leave more than this share of the bound


def cut_bound(nodes: Sequence[Node], enclosure: Enclosure, before: Deviations, most_cuts: int) -> float:
    """Return an upper bound of the norm of the Jacobian, by at most so many cuts; the enclosure has no symbols."""
    count = itertools.count()  # so that no two cases are compared
    cases = [(-before.bound, next(count), enclosure, before)]
    bounds = [before.bound]
    for _ in range(most_cuts):
        above, _, widest, known = cases[0]
        if known.steepest is None or (len(bounds) > _WINDOW and bounds[-1] > _LEAST * bounds[-1 - _WINDOW]):
            break
        heapq.heappop(cases)
        for end in range(2):
            case = _at_end(widest, *known.steepest, end)
            there = deviations(nodes, case)
            heapq.heappush(cases, (max(above, -there.bound), next(count), case, there))
        bounds.append(-cases[0][0])
    return bounds[-1]


def _at_end(enclosure: Enclosure, place: int, unit: int, end: int) -> Enclosure:
    """Return an enclosure in which the slope of a unit is at the lower or the upper end of its range."""
    ends = Range(*(side.copy() for side in enclosure.slopes[place]))
    form = enclosure.forms_of_slopes[place]
    centre, rest = form.centre.copy(), form.rest.copy()
    slope = ends[end][0, unit]
    ends.lower[0, unit] = ends.upper[0, unit] = centre[0, unit] = slope
    rest[0, unit] = 0.0
    slopes = {**enclosure.slopes, place: ends}
    return replace(
        enclosure,
        slopes=slopes,
        forms_of_slopes={**enclosure.forms_of_slopes, place: replace(form, centre=centre, rest=rest)},
    )
