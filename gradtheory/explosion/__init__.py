"""Where a factor of the gradient explodes, how widely, and from which weight on."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # so that the command line starts at once
