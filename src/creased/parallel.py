"""Extract on sub-boxes: one after the other, or on Ray's workers, on one machine or on many.

The result is that of `creased.extract_complex` or `creased.extract_level_set` with ``exact=True``, cell by
cell, with the cells in another order and vertices equal up to rounding: signs are decided in float64, and
in rationals where rounding leaves them in doubt; see `creased.core.subdivision.sub_boxes`. A network on a
grid is cut by shares of its simplices, in any domain, in float64. Each worker holds one part at a time, the
caller holds the result. `creased.certify` proves what was found.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, TypedDict, Unpack

import torch

from creased.api import at_level
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.domains.box import Box
from creased.core.domains.domain import Domain
from creased.core.drivers import subdivide_all
from creased.core.extract_complex import complex_of
from creased.core.extract_level_set import treated
from creased.core.grids.grid_complex import complex_on_grid
from creased.core.method_choice import is_large
from creased.core.numerics.memory import Resources
from creased.core.numerics.surroundings import as_written
from creased.core.options import domain_of, options_of, require_level
from creased.core.program.combine import select
from creased.core.program.program import Program
from creased.core.subdivision.problem import Numbers, make_problem
from creased.core.subdivision.sub_boxes import MapParts, Parts, collect_in_parts
from creased.extras import how_to_install
from creased.networks.as_program import Network


@as_written
def extract_complex_in_parts(
    network: Network,
    box: Box | None,
    *,
    n_parts: int = 8,
    workers: int | None = None,
    level: float | None = 0.0,
    memory: int | None = None,
    at_once: int | None = None,
) -> PolyhedralComplex:
    """Extract the complex of a network on a box by way of sub-boxes.

    Args:
        network: what to extract.
        box: where; on a grid any domain, or None for its cube.
        n_parts: sub-boxes, or shares of a grid; several for each worker even the load out.
        workers: Ray's workers on this machine, or as many at a time of the cluster that RAY_ADDRESS names;
            None cuts one sub-box after the other in this process.
        level: the value of the outputs that cuts; None leaves the outputs out.
        memory: bytes that a part may take; by default what is free where it is cut.
        at_once: vertices that are cut at once.

    Raises:
        ValueError: dimensions differ, a weight is not finite, or the domain is no box.
        ImportError: workers are asked for, and Ray is not installed.
    """
    program, level = at_level(network, level)
    domain = _checked("extract_complex_in_parts", program, box, n_parts, workers)
    resources = Resources(memory, at_once)
    problem = make_problem(program, domain, level, Numbers(torch.float64), resources)
    with nullcontext(map) if workers is None else ray_workers(workers) as map_parts:
        parts = Parts(n_parts, map_parts)
        if program.grid is not None:
            return complex_on_grid(problem, resources, parts)
        return complex_of(problem, *collect_in_parts(problem, parts, memory=memory))


class PartsKeywords(TypedDict, total=False):
    """Keywords of `extract_level_set` that sub-boxes take too."""

    output: int
    prune: bool | None
    memory: int | None
    at_once: int | None


@as_written
def extract_level_set_in_parts(
    network: Network,
    box: Box | None,
    level: float = 0.0,
    *,
    n_parts: int = 8,
    workers: int | None = None,
    **keywords: Unpack[PartsKeywords],
) -> LevelSet:
    """Extract the exact set {f = level} of one output on a box by way of sub-boxes.

    The arguments are those of `extract_complex_in_parts`.

    Args:
        network: what to extract.
        box: where.
        level: the value of the output.
        n_parts: sub-boxes.
        workers: Ray's; None cuts one sub-box after the other.
        **keywords: ``output``, ``prune``, ``memory`` (of a part) and ``at_once`` as of `extract_level_set`.
    """
    options = options_of("extract_level_set_in_parts", keywords, PartsKeywords)
    program, level = at_level(network, level, options.output)
    require_level("extract_level_set_in_parts", program, level, options.output)
    domain = _checked("extract_level_set_in_parts", program, box, n_parts, workers)
    program = select(program, options.output)
    pays = program.grid is not None or is_large(program)
    prune = pays if options.prune is None else options.prune
    problem = make_problem(program, domain, level, Numbers(torch.float64), options.resources, prune=prune)
    with nullcontext(map) if workers is None else ray_workers(workers) as map_parts:
        parts = Parts(n_parts, map_parts)
        found = subdivide_all(problem, level, options.output, options.resources, parts=parts)
    return treated(found, lambda: problem, "perturb")


def _checked(call: str, program: Program, box: Domain | None, n_parts: int, workers: int | None) -> Domain:
    domain = domain_of(call, program, box)
    if not domain.is_box and program.grid is None:
        raise ValueError(f"{call}: sub-boxes are parts of a Box, got {type(box).__name__}")
    if n_parts < 1 or (workers is not None and workers < 1):
        raise ValueError(f"{call}: n_parts and workers must be 1 or more, got {n_parts} and {workers}")
    return domain


@contextmanager
def ray_workers(n: int) -> Iterator[MapParts]:
    """Map over parts on n Ray workers; several extractions within share them.

    Raises:
        ImportError: Ray is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError(f"extraction on workers needs Ray: {how_to_install('ray')}") from error
    is_mine = not ray.is_initialized()
    if is_mine and os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=False)
    elif is_mine:
        ray.init(num_cpus=n, include_dashboard=False, log_to_driver=False, _node_ip_address="127.0.0.1")
    try:
        yield lambda cut, parts: _map_on_ray(cut, parts, n)
    finally:
        if is_mine:
            ray.shutdown()


def _map_on_ray(cut: Callable[[Any], Any], parts: Sequence[Any], workers: int) -> list[Any]:
    """Map over parts on so many workers at a time, in order."""
    import ray

    cut_there = ray.remote(_cut_alone).options(num_cpus=1)
    shared = ray.put(cut)
    running: dict[Any, int] = {}
    found: dict[int, Any] = {}
    waiting = list(enumerate(parts))[::-1]
    while waiting or running:
        while waiting and len(running) < workers:
            index, part = waiting.pop()
            running[cut_there.remote(shared, part)] = index
        (done, *_), _ = ray.wait(list(running))
        found[running.pop(done)] = ray.get(done)
    return [found[index] for index in range(len(parts))]


def _cut_alone(cut: Callable[[Any], Any], part: Any) -> Any:
    torch.set_num_threads(1)
    return cut(part)
