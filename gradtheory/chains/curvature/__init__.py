"""The curvature of a chain's loss: second derivatives in SymPy and in NumPy.

>>> import gradtheory as gt
>>> chain = gt.Chain(depth=2)
>>> hessian(chain, x=1.0, y=0.0, w=[1.0, 2.0], b=[0.0, 0.0]).shape
(4, 4)

"""

from gradtheory.chains.curvature.exact import curvature_recursion, second_derivative
from gradtheory.chains.curvature.numeric import hessian, hessian_vector_product
from gradtheory.errors import public

__all__ = [
    "curvature_recursion",
    "hessian",
    "hessian_vector_product",
    "second_derivative",
]


public(__name__)
