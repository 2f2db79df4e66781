"""Where a function takes a chain or a network."""

from typing import Any

from gradtheory.chains.chain import Chain
from gradtheory.errors import InvalidArgument
from gradtheory.networks.network import Network

_RULE = (
    "must be a gradtheory.Network, which Network.from_torch(module) makes of a torch module, or a gradtheory.Chain "
    "such as Chain(depth=3, activation='tanh')"
)


def read_either(value: Any) -> Chain | Network:
    """Return a network, or a chain whose depth is a number.

    Examples
    --------
    >>> read_either(Chain(2, "tanh")).depth
    2

    """
    if not isinstance(value, Chain | Network):
        raise InvalidArgument("network", value, _RULE)
    if isinstance(value, Chain):
        value.layer_numbers()
    return value
