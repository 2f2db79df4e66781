"""gradtheory: why gradients explode or vanish, exactly where, and what provably stops it.

The public names are listed, grouped, in the stub beside this file; each is imported when it is first used, so that
`import gradtheory` loads neither SymPy nor NumPy.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

__version__ = "0.1.0"
