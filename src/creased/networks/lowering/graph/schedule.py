"""From a trace to blocks: what each block computes, and what is remembered from one to the next.

A rectification belongs to the block after all that its argument needs, so that those that do not depend on
each other stand in one block. Between two blocks as little is remembered as later steps can do with; a plain
network remembers its neurons and nothing else. What does not lead to the output is dropped.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

import torch

from creased.networks.lowering.graph.min_vertex_cut import smallest_cut
from creased.networks.lowering.graph.slots import CONSTANT
from creased.networks.lowering.graph.tape import Step, Tape


@dataclass(frozen=True)
class Stage:
    """One block; all entries are numbers of steps."""

    known: tuple[int, ...]  # values that make up the state
    steps: tuple[int, ...]  # run on the state
    creases: tuple[int, ...]  # values that are rectified: their numbers are the block's neurons
    neurons: tuple[int, ...]  # the rectified values
    mixed: tuple[int, ...]  # run on the neurons and the state


@dataclass(frozen=True)
class Plan:
    """A trace in the order in which it is run."""

    steps: tuple[Step, ...]
    tensors: dict[int, str]  # of the module, by their dotted names
    constants: tuple[int, ...]  # run first
    stages: tuple[Stage, ...]
    known: tuple[int, ...]  # the state behind the last block
    last: tuple[int, ...]  # run on it
    output: int
    dtype: torch.dtype  # of the points
    device: torch.device


@dataclass
class _Graph:
    """The steps that lead to the output."""

    steps: list[Step]
    output: int
    alive: set[int] = field(default_factory=set)
    uses: dict[int, list[int]] = field(default_factory=dict)  # of values that depend on the input

    def __post_init__(self) -> None:
        self.alive = self.behind([self.output])
        self.uses = {index: [] for index in self.alive}
        for index in self.alive:
            for source in self.steps[index].inputs:
                self.uses[source].append(index)

    def sources(self, index: int) -> list[int]:
        """The values that a step refers to, without constants."""
        return [i for i in self.steps[index].inputs if self.steps[i].level != CONSTANT]

    def behind(self, ends: Iterable[int], known: Collection[int] = ()) -> set[int]:
        """All steps that must be run to get at some values, where others are known."""
        found: set[int] = set()
        left = [end for end in ends if end not in known]
        while left:
            index = left.pop()
            if index not in found:
                found.add(index)
                left += [i for i in self.steps[index].inputs if i not in known]
        return found

    def run(self, ends: Iterable[int], known: Collection[int]) -> tuple[int, ...]:
        """The same in order, without constants."""
        return tuple(i for i in sorted(self.behind(ends, known)) if self.steps[i].level != CONSTANT)

    def needed_after(self, level: int) -> list[int]:
        """Values known after so many blocks that later steps, or the output, refer to."""
        steps = self.steps
        return [
            index
            for index in sorted(self.alive)
            if CONSTANT < steps[index].level <= level
            and (index == self.output or any(steps[use].level > level for use in self.uses[index]))
        ]


def make_plan(tape: Tape, output: int) -> Plan:
    """Put the steps that lead to the output in blocks."""
    graph = _Graph(tape.steps, output)
    known: tuple[int, ...] = (next(i for i in sorted(graph.alive) if tape.steps[i].level != CONSTANT),)
    stages = []
    for level in range(tape.steps[output].level):
        rectified = [i for i in tape.rectified if i in graph.alive and tape.steps[i].level == level + 1]
        creases = tuple(tape.rectified[i] for i in rectified)
        steps = graph.run(creases, known)
        kept = _remembered(graph, level + 1, known, rectified)
        mixed = graph.run(kept, {*known, *steps, *rectified})
        stages.append(Stage(known, steps, creases, tuple(rectified), mixed))
        known = kept
    constants = tuple(i for i in sorted(graph.alive) if tape.steps[i].level == CONSTANT)
    last = graph.run([output], known)
    tensors = {i: name for i, name in tape.tensors.items() if i in graph.alive}
    return Plan(
        tuple(tape.steps), tensors, constants, tuple(stages), known, last, output, tape.dtype, tape.device
    )


def _remembered(graph: _Graph, level: int, known: tuple[int, ...], rectified: list[int]) -> tuple[int, ...]:
    """The values to keep as the state after so many blocks: neurons first."""
    needed = graph.needed_after(level)
    given = [*rectified, *known]
    steps = graph.run(needed, given)
    inputs = {index: graph.sources(index) for index in steps}
    touched = {i for sources in inputs.values() for i in sources} | set(needed)
    if touched.isdisjoint(known):
        return tuple(rectified)
    sizes = {i: graph.steps[i].size for i in (*given, *steps) if graph.steps[i].shape is not None}
    cut = smallest_cut(inputs, sizes, given, needed)
    return tuple(i for i in (*rectified, *sorted(cut.difference(rectified))) if i in cut)
