"""Chains of single neurons in SymPy and NumPy, and networks of wide layers in NumPy: losses, gradients, Hessians.

- `chain` : `Chain`, its equations and its gradients as products of named symbols; its float64 half is in `backprop`.
- `network` : `Network`, wide layers in float64, and the bound of its Jacobian.
- `losses` : one record for each loss.
- `curvature` : second derivatives, exact and numeric, and sharpness.
- `symbols`, `layers`, `batches` : what these are made of.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["curvature"])
