"""The least factors that an audit takes for faults."""

import math

STRETCH = 10.0  # a factor over several layers that training bears
ALONE = math.sqrt(2.0)  # half way, in logarithms, to the least fault of one layer: a shortcut taken twice
WEIGHTS = 2.5  # more than √6, by which schemes differ: kaiming_normal's √2, and torch's own 1/√3
MATTERS = 1.25  # a gain that weights out of scale have to cause
