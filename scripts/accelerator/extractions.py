"""Time extractions and certificates on a device; compare what was found with the CPU where that is short."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

import creased
from creased import Box, LevelSet, PolyhedralComplex
from scripts.accelerator.bench import Bench
from scripts.accelerator.equality import differences

BOX = Box.cube(3, 0.5)


def _size(found: LevelSet) -> str:
    open_ = f", {found.n_inconsistent} INCONSISTENT" if found.n_inconsistent else ""
    done = "complete" if found.is_complete else "marched"
    return f"{found.polygons.n:,} faces, {found.vertices.shape[0]:,} vertices, {done}{open_}"


def _surface(
    bench: Bench, part: str, network: nn.Module, *, compare: bool = False, **options: Any
) -> LevelSet:
    """Time a level set; then take it on the CPU once, and compare cell by cell."""
    box = None if isinstance(network, creased.GridMLP) else BOX
    found = bench.time(part, lambda: creased.extract_level_set(network, box, **options), _size)
    if compare:
        program = creased.lower(network).detach().to("cpu", torch.float64)
        wrong = differences(creased.extract_level_set(program, box, **options), found)
        bench.check(f"{part}: as on the CPU", not wrong, "; ".join(wrong) or "the same cells")
    return found


def march(bench: Bench) -> None:
    """March on plain networks."""
    for size in ((8, 32), (4, 96), (3, 128)):
        name = f"march {size[0]}x{size[1]}"
        network = bench.networks.plain(*size)
        _surface(bench, name, network, compare=size == (8, 32), method="march")


def certified(bench: Bench) -> None:
    """Subdivide plain networks, which proves completeness, and certify the signs of what was found."""
    network = bench.networks.plain(8, 32)
    found = _surface(bench, "subdivide 8x32", network, method="subdivide")
    bench.time("certificate of level set 8x32", lambda: creased.certify(found, network, count=False), str, 1)


def proven(bench: Bench) -> None:
    """March, and prove completeness, of the plain default network."""
    _surface(bench, "march complete 4x96", bench.networks.plain(4, 96), method="march", complete=True)


def grid_64(bench: Bench) -> None:
    """Level set of the default grid network, as on the CPU."""
    network = bench.networks.grid(64)
    found = _surface(bench, "grid N=64", network, compare=True)
    surface = bench.time("audit of grid N=64", found.audit, str, 1)
    bench.check(
        "grid N=64 is a closed manifold", surface.is_closed and surface.is_manifold, str(surface)[:80]
    )


def grid_certificate(bench: Bench) -> None:
    """Certify the level set of the default grid network; extract it twice, which has to give the same."""
    network = bench.networks.grid(64)
    found, again = (creased.extract_level_set(network, None) for _ in range(2))
    tensors = zip(*([part.vertices, part.words, part.edges] for part in (found, again)), strict=True)
    is_same = all(torch.equal(*pair) for pair in tensors)
    bench.check("grid N=64 twice", is_same, "the same, bit for bit" if is_same else "in another order")
    bench.time("certificate of grid N=64", lambda: creased.certify(found, network, count=False), str, 1)


def grid_128(bench: Bench) -> None:
    """Level set of a grid network with N = 128."""
    _surface(bench, "grid N=128", bench.networks.grid(128))


def grid_256(bench: Bench) -> None:
    """Level set of a grid network with N = 256."""
    _surface(bench, "grid N=256", bench.networks.grid(256))


def small_complexes(bench: Bench) -> None:
    """Full complex and certificate of a small network."""
    network = bench.networks.plain(3, 16)
    found = bench.time("complex 3x16", lambda: creased.extract_complex(network, BOX), _cells)
    certificate = bench.time("certificate of complex 3x16", lambda: creased.certify(found, network), str)
    bench.check("complex 3x16 is certified", certificate.is_certified, str(certificate.euler_characteristic))


def full_complex(bench: Bench) -> None:
    """Full complex of 8x32: some 10 million vertices."""
    network = bench.networks.plain(8, 32)
    bench.time("complex 8x32", lambda: creased.extract_complex(network, BOX), _cells, 1)


def _cells(found: PolyhedralComplex) -> str:
    whole = "" if found.is_whole else f", {found.status}"
    open_ = f", {found.n_inconsistent} INCONSISTENT" if found.n_inconsistent else ""
    return f"{found.vertices.shape[0]:,} vertices, {found.edges.shape[0]:,} edges{open_}{whole}"
