"""Which steps every way to the loss passes, against the removal of one step after the other."""

import itertools
import random

import pytest

from gradtheory.audits.modules.graph import Graph, steps_from


class Step:
    """A step of autograd as torch shows it."""

    def __init__(self, kind, *before):
        self.kind, self.next_functions = kind, tuple((each, 0) for each in before)

    def name(self):
        return self.kind


def graph_of(seed, length=25):
    rng = random.Random(seed)
    steps = [Step("Leaf")]
    for _ in range(length):
        near = steps[-4:] if rng.random() < 0.8 else steps
        steps.append(Step(rng.choice(["AddBackward0", "MmBackward0"]), *rng.choices(near, k=rng.choice([1, 1, 2]))))
    return steps


@pytest.mark.parametrize("seed", range(30))
def test_something_goes_around_a_step_if_the_start_is_reached_without_it(seed):
    steps = graph_of(seed)
    graph = Graph.behind(steps[-1])
    reached = steps_from(steps[-1])
    assert reached == graph.depth.keys()
    for step, start in itertools.permutations(reached, 2):
        assert graph.goes_around(step, start) == (start in steps_from(steps[-1], around=[step]))


def test_a_branch_is_as_good_as_the_sum_that_alone_takes_it():
    start = Step("MmBackward0")
    branch = Step("MmBackward0", start)
    total = Step("AddBackward0", start, branch)
    end = Step("MmBackward0", total)
    graph = Graph.behind(end)
    assert graph.sums[branch] is total
    assert graph.goes_around(branch, start)
    assert not graph.goes_around(total, start)


def test_what_is_done_with_a_branch_alone_and_with_what_nothing_made_changes_nothing():
    start, weights = Step("MmBackward0", Step("Leaf"), Step("Leaf")), Step("Leaf")
    branch = Step("MmBackward0", start)
    scaled = Step("MulBackward0", Step("ReluBackward0", branch), Step("CloneBackward0", weights))
    total = Step("AddBackward0", start, scaled)
    graph = Graph.behind(Step("MmBackward0", total))
    step = branch
    while step is not total:
        step = graph.sums[step]
    gated = Step("MulBackward0", branch, Step("MmBackward0", start, weights))
    assert branch not in Graph.behind(Step("MmBackward0", gated)).sums


def test_steps_that_are_taken_for_one_are_passed_by_what_passes_either():
    start = Step("MmBackward0")
    first, second = Step("ViewBackward0", start), Step("ViewBackward0", start)
    third, fourth = Step("ViewBackward0", first, second), Step("ViewBackward0", second)
    end = Step("CatBackward0", third, fourth)
    graph = Graph.behind(end, [[first, second], [third, fourth, Step("Leaf")]])
    assert first in graph
    assert second in graph
    assert not graph.goes_around(second, start)
    assert not graph.goes_around(fourth, first)
    assert Graph.behind(end).goes_around(second, start)


def test_long_streams_take_time_in_proportion_to_their_length():
    """A thousand blocks: looking for each of them through the whole graph would take a million steps."""
    visits = 0

    class Counted(Step):
        def __getattribute__(self, name):
            nonlocal visits
            visits += name == "next_functions"
            return super().__getattribute__(name)

    stream = [Counted("MmBackward0")]
    for _ in range(1000):
        branch = Counted("MmBackward0", stream[-1])
        stream.append(Counted("AddBackward0", stream[-1], branch))
    graph = Graph.behind(stream[-1])
    assert not any(graph.goes_around(after, before) for before, after in itertools.pairwise(stream))
    assert visits < 5 * 2 * len(stream)
