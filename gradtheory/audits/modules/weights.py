"""The weights that a torch module multiplies by: its parameters, or what it makes of them.

Such are those of `torch.nn.utils.parametrizations`, and what else is registered by `torch.nn.utils.parametrize`.
"""

from collections.abc import Iterator
from typing import Any


def called_parts(module: Any) -> Iterator[tuple[str, Any]]:
    """Yield the modules within one by their names, but for those that make weights: no data go through them."""
    from torch.nn.utils.parametrize import ParametrizationList

    makers = {id(each) for part in module.modules() if isinstance(part, ParametrizationList) for each in part.modules()}
    return ((name, part) for name, part in module.named_modules() if id(part) not in makers)


def kind_of(part: Any) -> str:
    """Return the class of a module; of one with parametrizations that which it was before."""
    from torch.nn.utils.parametrize import type_before_parametrizations

    return str(type_before_parametrizations(part).__name__)


def made_of(part: Any) -> dict[str, list[Any]]:
    """Return the parameters of a module's own, not of parts of it, by the weight that is made of them.

    Most are weights themselves. `torch.nn.utils.weight_norm` makes one of two as well.
    """
    from torch.nn.utils.parametrize import is_parametrized

    own: dict[str, list[Any]] = {}
    for name, parameter in part.named_parameters(recurse=False):
        pair = {f"{name[:-2]}_g", f"{name[:-2]}_v"}
        is_one = name in pair and pair <= part._parameters.keys() and hasattr(part, name[:-2])
        own.setdefault(name[:-2] if is_one else name, []).append(parameter)
    makers = part.parametrizations.items() if is_parametrized(part) else ()
    return own | {name: list(maker.parameters()) for name, maker in makers}


def n_matrices(part: Any) -> int:
    """Return how many weights of a module, and of the parts that it calls, are no vectors."""
    weights = (each for _, called in called_parts(part) for each in made_of(called).values())
    return sum(any(parameter.ndim > 1 for parameter in several) for several in weights)
