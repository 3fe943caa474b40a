"""``memory=`` bounds what a call takes, ``budget=`` how long it takes; each call is measured in a child."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from functools import cache

import pytest
import torch

import creased
from creased import Box, CellLimitError
from creased.core.marching.march import Walker
from creased.core.native.available import SWITCH
from creased.core.numerics.memory import Resources
from creased.core.subdivision.footprint import Limits
from creased.core.subdivision.pieces import Cutter
from creased.core.subdivision.problem import Numbers, make_problem
from creased.tropical.cells.report import count_table
from tests.peak_memory import CAN_MEASURE
from tests.strategies import random_program

SLACK = 100 << 20  # bytes of libraries, and of a step of which the estimate is rough
MEASURE = r"""
import json, os, sys
import torch, creased
from creased.tropical.cells.counts import count
from tests.peak_memory import forget_peak, peak_bytes

torch.set_num_threads(1)
MB = 10**6

def net(dim, width, depth):
    torch.manual_seed(0)
    return creased.lower(creased.MLP(dim, width, depth).double())

def whole(dim, *shape, memory=100, **keywords):
    box = creased.Box.cube(dim, 1)
    return lambda: creased.extract_complex(net(dim, *shape), box, memory=memory * MB, **keywords)

def level(dim, *shape, memory=100, **keywords):
    box = creased.Box.cube(dim, 1)
    return lambda: creased.extract_level_set(net(dim, *shape), box, memory=memory * MB, **keywords)

def grid(extract, *levels, memory=100):
    def call():
        torch.manual_seed(0)
        model = creased.GridMLP(in_dim=3, levels=levels, features=4, width=32, depth=1)
        return extract(model, None, memory=memory * MB)
    return call

def streamed(dim, *shape, memory=100):
    pieces = creased.stream_complex(net(dim, *shape), creased.Box.cube(dim, 1), memory=memory * MB)
    return lambda: str(sum(len(piece.vertices) for piece in pieces))

def counted(dim, *shape, memory=100):
    box = creased.Box.cube(dim, 1)
    return lambda: str(creased.count_cells(net(dim, *shape), box, memory=memory * MB))

CALLS = {
    "wide in 6 dimensions": (100, whole(6, 60, 1)),
    "wider in 6 dimensions": (100, whole(6, 200, 1)),
    "8 dimensions": (100, whole(8, 30, 1)),
    "10 dimensions": (100, whole(10, 16, 2)),
    "16 dimensions": (100, whole(16, 8, 1)),
    "deep in 4 dimensions": (100, whole(4, 24, 4)),
    "deep in 3 dimensions": (50, whole(3, 32, 8, memory=50)),
    "wide in 3 dimensions": (100, whole(3, 1500, 1)),
    "wide in 2 dimensions": (100, whole(2, 2000, 1)),
    "contracted": (100, whole(4, 24, 4, degeneracy="contract")),
    "more memory": (300, whole(6, 60, 1, memory=300)),
    "level set": (100, level(3, 400, 1)),
    "pruned": (100, level(6, 60, 1, prune=True)),
    "pruned, wide": (100, level(3, 1500, 1, prune=True)),
    "walked": (100, level(3, 400, 1, method="march")),
    "walked, wide": (100, level(3, 1500, 1, method="march")),
    "counted": (100, lambda: count(net(4, 24, 4), creased.Box.cube(4, 1), memory=100 * MB)),
    "streamed": (100, streamed(4, 16, 2)),
    "streamed, wide": (100, streamed(3, 1500, 1)),
    "streamed in 8 dimensions": (100, streamed(8, 30, 1)),
    "cells": (100, counted(3, 32, 3)),
    "cells in 6 dimensions": (100, counted(6, 60, 1)),
    "cells, wide": (100, counted(2, 2000, 1)),
    "complex on a grid": (100, grid(creased.extract_complex, 8, 16, 32, 64)),
    "level set on a grid": (100, grid(creased.extract_level_set, 8, 16, 32, 64)),
}

def measured(call):
    before = forget_peak()
    try:
        found = call()
        words = found if isinstance(found, str) else str(found.status)
    except ValueError as error:
        words = f"ValueError: {error}"
    return peak_bytes() - before, words

counted(3, 8, 1)()
level(3, 4, 1, method="march")()  # loads the compiled walk, which takes memory as libraries do
for name, (memory, call) in CALLS.items():
    sys.stdout.flush()
    if not os.fork():  # so that the peak of one call is not that of another
        print(json.dumps([name, memory * MB, *measured(call)]), flush=True)
        os._exit(0)
    os.wait()
print(json.dumps(len(CALLS)))
"""


@pytest.mark.slow
@pytest.mark.skipif(not CAN_MEASURE, reason="needs the peaks of Linux, and processes that fork")
def test_no_call_takes_more_memory_than_it_may() -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", MEASURE]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    *found, n_calls = map(json.loads, done.stdout.splitlines())
    assert len(found) == n_calls, done.stderr
    over = {name: (peak, words) for name, memory, peak, words in found if peak > memory + SLACK}
    assert not over
    few = ("walked", "streamed", "cells", "level set on a grid")
    for name, _, _, words in found:
        assert name in few or ("allowed" in words and ("MB" in words or "GB" in words)), (name, words)


def test_what_does_not_fit_is_said_in_numbers() -> None:
    found = creased.extract_complex(random_program(6, (40,), seed=1), Box.cube(6, 1), memory=10**7)
    assert not found.is_whole
    assert "9.5 MB are allowed" in found.status


def test_pieces_in_little_memory_are_the_same_cells() -> None:
    program, box = random_program(3, (24, 24), seed=3), Box.cube(3, 1)
    expected = creased.extract_complex(program, box).f_vector()
    assert creased.count_cells(program, box, memory=1 << 24) == expected
    pieces = [piece.f_vector() for piece in creased.stream_complex(program, box, memory=1 << 24)]
    assert len(pieces) > 1
    assert tuple(map(sum, zip(*pieces, strict=True))) == expected


def test_pieces_that_do_not_fit_are_refused_in_numbers() -> None:
    program, box = random_program(6, (60,), seed=1), Box.cube(6, 1)
    with pytest.raises(CellLimitError, match=r"count_cells: .* MB or more, and 9.5 MB are allowed"):
        creased.count_cells(program, box, memory=10**7)
    with pytest.raises(CellLimitError, match=r"stream_complex: .* MB or more, and 9.5 MB are allowed"):
        list(creased.stream_complex(program, box, memory=10**7))
    assert "--method stream" not in count_table(program, box, method="stream", memory=10**7)
    with pytest.raises(ValueError, match="memory must be 0 or more, got -1"):
        creased.count_cells(program, box, memory=-1)


def test_a_box_with_too_many_corners_is_refused() -> None:
    with pytest.raises(ValueError, match="65,536 corners"):
        creased.extract_complex(random_program(16, (4,), seed=1), Box.cube(16, 1), memory=10**8)


def test_many_corners_without_passthrough_cost_no_pairs_of_them() -> None:
    assert creased.extract_complex(random_program(10, (1,), seed=1), Box.cube(10, 0.1)).is_whole


def test_cutting_in_little_memory_finds_the_same() -> None:
    program, box = random_program(3, (40, 40), seed=2), Box.cube(3, 1)
    whole, little = (creased.extract_level_set(program, box, memory=n) for n in (None, 1 << 27))
    assert little.is_complete
    assert little.vertices.shape == whole.vertices.shape
    pruned = creased.extract_level_set(program, box, memory=1 << 27, prune=True)
    assert pruned.is_complete
    assert pruned.vertices.shape == whole.vertices.shape


def test_cutting_stops_at_its_deadline_and_goes_on_after_it() -> None:
    problem = make_problem(
        random_program(3, (12, 12), seed=1),
        Box.cube(3, 1),
        0.0,
        Numbers(torch.float64),
        Resources(at_once=100),
    )
    cutter = Cutter(problem)
    assert cutter.next_piece(Limits(deadline=time.monotonic() - 1)) is None
    assert not cutter.is_done
    assert cutter.next_piece() is not None


@cache
def _large():  # noqa: ANN202
    torch.manual_seed(0)
    return creased.lower(creased.MLP(3, 64, 6).double())


def test_a_proof_ends_with_its_budget() -> None:
    small = random_program(3, (8, 8), seed=1)
    creased.extract_level_set(small, Box.cube(3, 1), method="march", complete=True)  # compiles, at first
    start = time.monotonic()
    creased.extract_level_set(_large(), Box.cube(3, 1), method="march", seeds=8)
    walk = time.monotonic() - start
    start = time.monotonic()
    found = creased.extract_level_set(
        _large(), Box.cube(3, 1), method="march", seeds=8, complete=True, budget=0.5
    )
    assert time.monotonic() - start < 2 * walk + 0.5 + 2
    assert not found.is_complete
    assert "within 0.5 s" in found.provenance.guarantee or "time is over" in found.provenance.guarantee


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_walk_stops_when_its_time_is_over(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    init = Walker.__init__
    monkeypatch.setenv(SWITCH, switch)
    if switch == "1":
        pytest.importorskip("numba")
        monkeypatch.setattr("creased.core.marching.compiled_walk.CHUNK", 8)

    def late(self: Walker, *arguments: object) -> None:
        init(self, *arguments)  # type: ignore[arg-type]
        self.limits = Limits(deadline=time.monotonic() - 1)
        self._block = 8

    monkeypatch.setattr(Walker, "__init__", late)
    found = creased.extract_level_set(random_program(3, (12, 12), seed=1), Box.cube(3, 1), method="march")
    assert not found.provenance.is_whole
    assert "time is over" in found.status
