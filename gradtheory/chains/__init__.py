"""Chains of single neurons and layers in NumPy: forward, backward, and second derivatives."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(__name__, ["curvature"])
