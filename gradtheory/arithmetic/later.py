"""NumPy, loaded when something is first computed with it: an exact answer for one neuron needs none.

Modules that every answer loads write ``from gradtheory.arithmetic.later import np`` for ``import numpy as np``.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["np"]

if TYPE_CHECKING:
    import numpy as np
else:

    class _NumPy:
        def __getattr__(self, name: str) -> Any:
            import numpy

            value = getattr(numpy, name)
            setattr(self, name, value)  # found at once from now on
            return value

    np = _NumPy()
