"""One pass through a network: what every node computes on boxes, its slopes, and the Jacobian of the output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradtheory.arithmetic.inputs import Array
from gradtheory.networks.bounds import backward, forms, tangents
from gradtheory.networks.bounds.activation_range import range_of
from gradtheory.networks.bounds.forms import Form, Normalised
from gradtheory.networks.bounds.ranges import Range
from gradtheory.networks.bounds.tangents import Slope, Tangent
from gradtheory.networks.nodes import INPUT, Dense, Elementwise, LayerNorm, Node, Scale, Sum

_MOST_CARRIED = 2e10  # multiplications to carry bounds back from every layer


@dataclass(frozen=True, eq=False)
class Enclosure:
    """What a network computes on a batch of boxes, node by node; index -1 of its nodes is the input.

    Attributes
    ----------
    outputs : dict of int to Form
    slopes : dict of int to Range
        σ' of each unit, for the nodes that are activations.
    forms_of_slopes : dict of int to Slope
        The same slopes, linear in the inputs.
    norms : dict of int to Normalised
    jacobian : Tangent
        Of the last node by the inputs.

    """

    outputs: dict[int, Form]
    slopes: dict[int, Range]
    forms_of_slopes: dict[int, Slope]
    norms: dict[int, Normalised]
    jacobian: Tangent


def enclose_network(nodes: Sequence[Node], lower: Array, upper: Array, *, symbols: int = 0) -> Enclosure:
    """Return enclosures on boxes of shape (batch, n_inputs); of one box with a symbol for every unit.

    The Jacobian is linear in that many `symbols`: 0, or one for each input.
    """
    batch, n_inputs = lower.shape
    carries_back = batch == 1 and multiplications(nodes) <= _MOST_CARRIED
    lines: dict[int, backward.Lines] = {}
    outputs = {INPUT: forms.of_boxes(lower, upper)}
    jacobians = {INPUT: tangents.of_inputs(batch, n_inputs, symbols)}
    slopes: dict[int, Range] = {}
    forms_of_slopes: dict[int, Slope] = {}
    norms: dict[int, Normalised] = {}
    with np.errstate(all="ignore"):  # what overflows is bounded by infinity
        for place, node in enumerate(nodes):
            operation = node.operation
            sources = [outputs[source] for source in node.sources]
            inner = [jacobians[source] for source in node.sources]
            jacobian = inner[0]
            form = sources[0]
            if isinstance(operation, Dense):
                outputs[place] = forms.affine(form, operation.w, operation.b)
                if carries_back:
                    outputs[place] = backward.tightened(nodes, outputs, lines, place)
                jacobian = tangents.through_dense(jacobian, operation.w)
            elif isinstance(operation, Elementwise):
                ranges = range_of(operation.activation)
                over = ranges.over(*form.hull)
                value = ranges.values(form.centre, form.centre)
                slopes[place] = over[1]
                if carries_back:
                    lines[place] = backward.lines_of(ranges, form.hull, over[0])
                outputs[place] = forms.activated(
                    form, ranges, over, value, taken=_taken(outputs) if batch == 1 else None
                )
                forms_of_slopes[place] = tangents.slope_of(form, ranges, over[1], symbols)
                jacobian = tangents.through_activation(jacobian, forms_of_slopes[place])
            elif isinstance(operation, Sum):
                outputs[place] = forms.total(sources)
                jacobian = tangents.through_sum(inner)
            elif isinstance(operation, Scale):
                factor = np.asarray(operation.factor, dtype=float)
                outputs[place] = forms.scaled(form, factor)
                jacobian = tangents.through_scale(jacobian, factor)
            elif isinstance(operation, LayerNorm):
                norms[place] = parts = forms.normalised(form, operation)
                outputs[place] = parts.output
                jacobian = tangents.through_norm(jacobian, operation, parts)
            jacobians[place] = jacobian
    return Enclosure(outputs, slopes, forms_of_slopes, norms, jacobians[len(nodes) - 1])


def _taken(outputs: Mapping[int, Form]) -> int:
    """Return how many symbols there are."""
    return max(int(form.linear.shape[-1]) for form in outputs.values())


def multiplications(nodes: Sequence[Node]) -> float:
    """Return about how many multiplications a sweep from every node takes."""
    sizes = [node.operation.w.size * max(node.operation.w.shape) for node in nodes if isinstance(node.operation, Dense)]
    return float(sum(sizes)) * len(sizes)
