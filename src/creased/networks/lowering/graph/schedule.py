"""Assign the steps of a trace to blocks, and choose the state between blocks.

A rectification belongs to the first block after all that its argument depends on, so that independent ones
share a block. The state between two blocks is a minimum vertex cut between known values and those that later
steps need; in a plain network it is the block's neurons. What is to be kept (see `unfold`) is in it. Steps
without influence on the output are dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from creased.networks.lowering.graph.min_vertex_cut import min_vertex_cut
from creased.networks.lowering.graph.tape import Step, Tape
from creased.networks.lowering.graph.values import CONSTANT


@dataclass(frozen=True)
class Stage:
    """A block of the program, or its head; all entries are numbers of steps."""

    state: tuple[int, ...]  # values that make up the state s
    steps: tuple[int, ...]  # run on the state
    preactivations: tuple[int, ...]  # values that make up z = A s + b; the output in the head
    neurons: tuple[int, ...] = ()  # their positive parts
    state_steps: tuple[int, ...] = ()  # run on neurons and state, for the next state


@dataclass(frozen=True)
class Schedule:
    """The steps of a trace in the order in which they are run."""

    steps: tuple[Step, ...]
    tensors: dict[int, str]  # tensors of the module, by their dotted names
    constants: tuple[int, ...]  # steps that are run first
    stages: tuple[Stage, ...]  # one a block
    head: Stage
    options: dict[str, Any]  # dtype and device of the points


class Graph:
    """The steps that the output depends on."""

    def __init__(self, steps: list[Step], output: int) -> None:
        self.steps, self.output = steps, output
        self.live = self.ancestors([output])
        self.users: dict[int, list[int]] = {index: [] for index in self.live}  # live steps that refer to it
        for index in self.live:
            for source in steps[index].inputs:
                self.users[source].append(index)

    def sources(self, index: int) -> list[int]:
        """List the values that a step refers to, without constants."""
        return [i for i in self.steps[index].inputs if self.steps[i].level != CONSTANT]

    def ancestors(self, ends: Iterable[int], known: Collection[int] = ()) -> set[int]:
        """Find all steps to run for the values ``ends``, given the known ones; ``ends`` included."""
        found: set[int] = set()
        left = [end for end in ends if end not in known]
        while left:
            index = left.pop()
            if index not in found:
                found.add(index)
                left += [i for i in self.steps[index].inputs if i not in known]
        return found

    def descendants(self, starts: Iterable[int]) -> set[int]:
        """Find all live steps that depend on others, these not included."""
        found: set[int] = set()
        left = list(starts)
        while left:
            users = [user for user in self.users[left.pop()] if user not in found]
            found.update(users)
            left += users
        return found

    def steps_to(self, ends: Iterable[int], known: Collection[int]) -> tuple[int, ...]:
        """Order the `ancestors`, without constants."""
        return tuple(i for i in sorted(self.ancestors(ends, known)) if self.steps[i].level != CONSTANT)

    def needed_after(self, level: int) -> list[int]:
        """List values of the first ``level`` blocks that later steps, or the output, refer to."""
        steps = self.steps
        return [
            index
            for index in sorted(self.live)
            if CONSTANT < steps[index].level <= level
            and (index == self.output or any(steps[user].level > level for user in self.users[index]))
        ]


def make_schedule(tape: Tape, output: int) -> Schedule:
    """Assign the steps that the output depends on to blocks."""
    graph = Graph(tape.steps, output)
    state: tuple[int, ...] = (next(i for i in sorted(graph.live) if tape.steps[i].level != CONSTANT),)
    stages = []
    for level in range(tape.steps[output].level):
        neurons = tuple(i for i in tape.rectified if i in graph.live and tape.steps[i].level == level + 1)
        preactivations = tuple(tape.rectified[i] for i in neurons)
        steps = graph.steps_to(preactivations, state)
        kept = [i for i in sorted(tape.kept) if i in graph.live and tape.steps[i].level == level + 1]
        following = _next_state(graph, level + 1, state, neurons, kept)
        state_steps = graph.steps_to(following, {*state, *steps, *neurons})
        stages.append(Stage(state, steps, preactivations, neurons, state_steps))
        state = following
    constants = tuple(i for i in sorted(graph.live) if tape.steps[i].level == CONSTANT)
    tensors = {i: name for i, name in tape.tensors.items() if i in graph.live}
    head = Stage(state, graph.steps_to([output], state), (output,))
    options = {"dtype": tape.dtype, "device": tape.device}
    return Schedule(tuple(tape.steps), tensors, constants, tuple(stages), head, options)


def _next_state(
    graph: Graph, level: int, state: tuple[int, ...], neurons: tuple[int, ...], kept: Sequence[int]
) -> tuple[int, ...]:
    """Choose the values that make up the state after ``level`` blocks, neurons first, with those kept."""
    needed = graph.needed_after(level)
    given = [*neurons, *state, *kept]
    steps = graph.steps_to(needed, given)
    inputs = {index: graph.sources(index) for index in steps}
    touched = {i for sources in inputs.values() for i in sources} | set(needed)
    if touched.isdisjoint((*state, *kept)):
        return neurons
    behind = graph.descendants(kept)
    sizes = {
        i: 0 if i in kept else graph.steps[i].size
        for i in (*given, *steps)
        if graph.steps[i].shape is not None and i not in behind
    }
    cut = min_vertex_cut(inputs, sizes, given, needed)
    return tuple(i for i in (*neurons, *sorted(cut.difference(neurons))) if i in cut)
