"""Random weights: wide networks, chains, and the floats in which they overflow."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__, ["gaussian", "initialisation", "lyapunov", "meanfield", "overflow", "precision", "simulation"]
)
