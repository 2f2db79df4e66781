"""Parts of a measured module that nothing comes through, forward or backward."""

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

from gradtheory.audits.chance import may_all_be_off
from gradtheory.audits.layers import NAN, AuditedBlock, AuditedLayer
from gradtheory.audits.modules.call import Call
from gradtheory.audits.modules.graph import Graph
from gradtheory.audits.modules.weights import made_of

_SHOWN = 8  # of the modules that get no gradient


def _silent(parts: list[Call], layers: list[AuditedLayer], module: Any) -> int | None:
    """Return the part that nothing of its input comes through, if a gradient is 0.

    That is the first to give all samples the same, or the one before, if it took the same already, or has nothing that
    it could do otherwise, as an activation: then what is done to the output of that one kills it.
    """
    if all(layer.gain != 0.0 for layer in layers):
        return None
    same = next((k for k, part in enumerate(parts) if part.gave_same and part.takes_floats), None)
    if same is None:
        return None
    is_fixed = next(module.get_submodule(parts[same].name).parameters(), None) is None
    return max(0, same - 1) if parts[same].took_same or is_fixed else same


def silenced(
    layers: list[AuditedLayer], blocks: Sequence[AuditedBlock], parts: list[Call], module: Any
) -> list[AuditedLayer]:
    """Return the layers with a gain of 0 for the one that nothing of its input comes through, if one is so."""
    beside = {number for block in blocks if block.whole > 0.0 for number in block.layers}  # gradients pass there
    stream_layers = [replace(layer, gain=NAN) if k in beside else layer for k, layer in enumerate(layers)]
    dead = _silent(parts, stream_layers, module)
    return [replace(layer, gain=0.0) if k == dead else layer for k, layer in enumerate(layers)]


def passing(parts: Sequence[Call], sources: Sequence[int | None], module: Any) -> set[str]:
    """Return the modules with weights of which some call passes a gradient on: another that does not is no fault.

    A loop may start with a state of zeros, which others are multiplied by.
    """
    pairs = ((part, parts[source]) for part, source in zip(parts, sources, strict=True) if source is not None)
    names = {part.name for part, before in pairs if part.gradient_square > 0.0 and before.gradient_square > 0.0}
    owners = {name: part for name, part in module.named_modules() if next(part.parameters(), None) is not None}
    return names & owners.keys()


def unreached(calls: list[Call], module: Any) -> str:
    """Return which modules with trainable parameters took part and get no gradient."""
    reached = {call.name for call in calls if call.is_reached}  # perhaps when it is called again, by a checkpoint
    called = dict.fromkeys(call.name for call in calls if call.name not in reached and call.size)
    names = [name for name in called if _is_trainable(module, name)]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"no gradient comes back to {', '.join(names[:_SHOWN])}{more}" if names else ""


def _is_trainable(module: Any, name: str) -> bool:
    several = made_of(module.get_submodule(name)).values()
    return any(parameter.requires_grad for parameters in several for parameter in parameters)


def dead_within(calls: Sequence[Call], module: Any, graph: Graph) -> list[tuple[str, str]]:
    """Return the modules of which no unit moves, though their inputs do, and why: a gradient may pass beside them.

    That all modules in the same place start with weights 0 is a way to initialise, if they get a gradient; where such a
    module ends a branch, only those count that do so.
    """
    dead: dict[str, str] = {}
    number = sum(not call.children for call in calls)
    for owner, is_behind in _deaths(calls, module):
        zeros = [key for key, (weight, _) in _weights(module, owner.name).items() if not weight.any()]
        name = owner.name or owner.kind
        if zeros and not is_behind:
            place = _place(owner.name, module)
            peers = {path for path, _ in module.named_modules() if _place(path, module) == place}
            ends = {call.name for call in calls if call.name in peers and _ends_a_branch(call, graph)}
            for_all = [_weights(module, path) for path in (ends if owner.name in ends else peers)]
            weights = [each[key] for each in for_all for key in zeros if key in each]
            if any(weight.any() for weight, _ in weights) or not any(is_trained for _, is_trained in weights):
                dead.setdefault(name, "its weights are 0, so that nothing of its input comes through")
        elif not may_all_be_off(number, owner.units):
            what = f"each of its {owner.units} units"
            is_what = f"what follows it makes {what}" if is_behind else f"{what} is"
            dead.setdefault(name, f"{is_what} constant on these data")
    return list(dead.items())


def _ends_a_branch(call: Call, graph: Graph) -> bool:
    """Return whether what a call gives is added to something else, and does nothing else."""
    return graph.sum_of(call.left) is not call.left


def _is_trained(parameters: Sequence[Any]) -> bool:
    return any(each.grad is not None and bool(each.grad.any()) for each in parameters)


def _weights(module: Any, name: str) -> dict[str, tuple[Any, bool]]:
    """Return the weights of a module's own, or else its biases, and whether they learn: what it multiplies by."""
    part = module.get_submodule(name)
    own = {key: (getattr(part, key).detach(), _is_trained(several)) for key, several in made_of(part).items()}
    return {key: value for key, value in own.items() if "bias" not in key} or own


def _place(path: str, module: Any) -> tuple[str, ...]:
    """Return where a module is, whatever the number of its block, or its own in a list of such modules."""
    *holders, last = path.split(".")
    if type(module.get_submodule(".".join(holders))).__name__ == "ModuleList":
        last = f"{holders.pop()} #"
    return (*("#" if holder.isdigit() else holder.rstrip("0123456789") for holder in holders), last)


def _deaths(calls: Sequence[Call], module: Any) -> Iterator[tuple[Call, bool]]:
    """Yield the calls of modules of which no unit moves, and whether that is by what follows on them."""
    holders = {k: place for place, call in enumerate(calls) for k in call.children}
    for place, call in enumerate(calls):
        if call.children or not call.takes_floats:
            continue
        last: int | None = place
        if call.took_still == 1.0:  # of a learned query, or a start of zeros, nothing is
            last = _before(place, call.first_sources, calls, holders, module)
            made_of = () if last is None or last == holders.get(place) else (calls[k] for k in call.first_sources)
            if last is None or not all(each.gave_still < 1.0 and each.takes_floats for each in made_of):
                continue
            if any(each.took_still < 1.0 and last in each.first_sources for each in calls):
                continue  # what is still is a part of what it gave, such as one token
        elif not call.took_still < 1.0 or call.gave_still != 1.0:
            continue
        while last is not None and not _has_own(calls[last], module):
            last = _before(last, calls[last].sources, calls, holders, module)
        if last is not None:
            yield calls[last], calls[last].gave_still != 1.0


def _before(
    place: int, sources: Set[int], calls: Sequence[Call], holders: Mapping[int, int], module: Any
) -> int | None:
    """Return the last call that one is made of: that which holds it, if that has itself made all its output still."""
    source, holder = max(sources, default=None), holders.get(place)
    if holder is None or not _has_own(calls[holder], module):
        return source
    around = source
    while around is not None and around != holder:
        around = holders.get(around)
    is_its_own = around is None and calls[holder].took_still < 1.0 and calls[holder].gave_still == 1.0
    return holder if is_its_own else source


def _has_own(call: Call, module: Any) -> bool:
    return bool(made_of(module.get_submodule(call.name)))
