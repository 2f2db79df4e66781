"""The curvature of a chain's loss: second derivatives in SymPy and in NumPy, the greatest of them, and stable steps.

>>> import gradtheory as gt
>>> chain = gt.Chain(depth=2)
>>> hessian(chain, x=1.0, y=0.0, w=[1.0, 2.0], b=[0.0, 0.0]).shape
(4, 4)

"""

from gradtheory.curvature.exact import curvature_recursion, second_derivative
from gradtheory.curvature.numeric import hessian, hessian_vector_product
from gradtheory.curvature.sharpness import largest_stable_step, sharpest_direction, sharpness

__all__ = [
    "curvature_recursion",
    "hessian",
    "hessian_vector_product",
    "largest_stable_step",
    "second_derivative",
    "sharpest_direction",
    "sharpness",
]
