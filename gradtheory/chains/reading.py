"""Where a function asks for a chain, and gets something."""

from typing import Any

from gradtheory.arithmetic.kinds import read_kind
from gradtheory.chains.chain import Chain

_RULE = "must be a gradtheory.Chain, such as Chain(depth=3, activation='tanh')"


def read_chain(value: Any, name: str = "chain") -> Chain:
    """Return a chain.

    Raises
    ------
    InvalidArgument
        If it is anything else, such as a module of PyTorch.

    Examples
    --------
    >>> read_chain(3)
    Traceback (most recent call last):
    ...
    gradtheory.errors.InvalidArgument: chain = 3: must be a gradtheory.Chain, such as Chain(depth=3, activation='tanh')

    """
    return read_kind(value, name, Chain, _RULE)


def read_concrete_chain(value: Any, name: str = "chain") -> Chain:
    """Return a chain whose depth is a number; a symbolic one is refused."""
    chain = read_chain(value, name)
    chain.layer_numbers()
    return chain
