"""All ways to one result: engines, numbers, pieces, parts, modules, programs and the command line agree.

The weights are generic; the level is a value that the network takes, of some on whole cells. Single precision
may find other cells than double, but only where a certificate says that a sign is wrong.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

import creased
from creased import MLP, Box, LevelSet, PolyhedralComplex, certify, lower
from creased.cli.main import main
from creased.io.checkpoint import KEY, Record, write_record
from creased.io.similarity import Similarity
from creased.networks import GroupSort, Maxout, ResidualMLP, SkipMLP
from creased.parallel import extract_complex_in_parts, extract_level_set_in_parts
from tests.invariants import cell_codes, edge_codes, vertex_codes, vertices_by_code
from tests.slow import but_few

WIDTHS = {1: 8, 2: 6, 3: 5, 4: 4}  # by dimension
AT_ONCE = 100  # vertices of a piece
SINGLE, DOUBLE = 1e-4, 1e-9  # of positions, relative to the box
Found = PolyhedralComplex | LevelSet


class Network(NamedTuple):
    """A module in single precision, where to look at it, and a value that it takes there."""

    module: nn.Module
    box: Box
    level: float


def random_network(seed: int, n_times: int = 1) -> Network:
    """Draw a dimension, an architecture of so many times the width with weights of its own, and a box."""
    torch.manual_seed(seed)
    dim, scale = 1 + seed % 4, 2.0 ** float(torch.randint(-2, 3, ()))
    width, depth = n_times * WIDTHS[dim], 2 + int(torch.randint(2, ()))
    makers = [
        lambda: MLP(dim, width, depth),
        lambda: MLP(dim, width, depth, activation=lambda: nn.LeakyReLU(0.1)),
        lambda: ResidualMLP(dim, width // 2, 2),
        lambda: SkipMLP(dim, width // 2, 3),
        lambda: nn.Sequential(Maxout(dim, 4, 2), Maxout(4, 2, 2), nn.Linear(2, 1)),
        lambda: nn.Sequential(nn.Linear(dim, 4), GroupSort(2), nn.Linear(4, 4), nn.PReLU(), nn.Linear(4, 1)),
    ]
    module = makers[seed // 4 % len(makers)]().eval()
    for tensor in module.parameters():
        if tensor.dim() == 1:
            nn.init.uniform_(tensor, -0.4, 0.4)
    box = Box([-scale] * dim, [scale * 1.25] * dim)
    values = module(scale * (2 * torch.rand(256, dim) - 1)).detach()
    return Network(module, box, float(values.median()))


def complexes_of(network: Network, n_parts: int) -> Iterator[tuple[str, PolyhedralComplex]]:
    """The same complex in many ways."""
    module, box, level = network
    program, ask = lower(module, dtype=torch.float64), {"level": level}
    yield "program", creased.extract_complex(program, box, **ask)
    yield "rationals", creased.extract_complex(program, box, exact=True, **ask)
    yield "small batches", creased.extract_complex(program, box, at_once=AT_ONCE, **ask)
    yield "parts", extract_complex_in_parts(module, box, n_parts=n_parts, **ask)
    yield "double module", creased.extract_complex(module, box, dtype=torch.float64, **ask)
    yield "float32", creased.extract_complex(module, box, **ask)


def level_sets_of(network: Network, n_parts: int) -> Iterator[tuple[str, LevelSet]]:
    """The same level set in many ways."""
    module, box, level = network
    program = lower(module, dtype=torch.float64)
    where = program, box, level
    yield "unpruned", creased.extract_level_set(*where, prune=False)
    yield "pruned", creased.extract_level_set(*where, prune=True)
    yield "rationals", creased.extract_level_set(*where, exact=True)
    yield "pruned, small batches", creased.extract_level_set(*where, prune=True, at_once=AT_ONCE)
    yield "parts", extract_level_set_in_parts(*where, n_parts=n_parts, prune=False)
    yield "pruned parts", extract_level_set_in_parts(module, box, level, n_parts=n_parts, prune=True)
    yield "double module", creased.extract_level_set(module, box, level, dtype=torch.float64)
    yield "float32", creased.extract_level_set(module, box, level)
    if box.dim in (2, 3):
        yield "walked", creased.extract_level_set(*where, method="march", complete=True)
        yield "walked, float32", creased.extract_level_set(module, box, level, method="march", complete=True)


def check_agreement(ways: Iterator[tuple[str, Found]], network: Network) -> Found:
    """Equal cells in equal places; returns them as the first way found them, certified."""
    program, size = lower(network.module, dtype=torch.float64), network.box.upper[0] - network.box.lower[0]
    _, first = next(ways)
    assert certify(first, program, network.level).is_certified
    assert first.provenance.is_complete
    for name, found in ways:
        if "float32" in name and cell_codes(found) != cell_codes(first):
            assert not certify(found, program, network.level).is_certified, f"{name}: certified, other cells"
            assert not found.provenance.is_complete, f"{name}: other cells, and nothing is said"
            continue
        assert cell_codes(found) == cell_codes(first), f"{name}: other cells"
        assert found.provenance.is_complete or "float32" in name, name
        tolerance = size * (SINGLE if found.vertices.dtype == torch.float32 else DOUBLE)
        places = (vertices_by_code(surface).double() for surface in (found, first))
        torch.testing.assert_close(
            *places, rtol=0, atol=tolerance, msg=lambda text, way=name: f"{way}: {text}"
        )
    return first


def check_pieces(whole: Found, network: Network) -> None:
    """The own cells of streamed pieces, and counts, are those of the whole."""
    vertices, edges = [], []
    module, box, level = network
    for piece in creased.stream_complex(module, box, level=level, at_once=AT_ONCE, dtype=torch.float64):
        vertices += itertools.compress(vertex_codes(piece), piece.is_own_vertex().tolist())
        edges += itertools.compress(edge_codes(piece), piece.is_own_edge().tolist())
    assert (sorted(vertices), sorted(edges)) == cell_codes(whole)[:2]
    assert isinstance(whole, PolyhedralComplex)
    assert creased.count_cells(module, box, level=level, dtype=torch.float64) == whole.f_vector()


def check_extract_command(surface: LevelSet, network: Network, file: Path) -> None:
    """`creased extract` writes that mesh, whatever the method."""
    out = file.with_name("mesh.obj")
    for method in ([], ["--method", "march"], ["--exact"]):
        command = ["extract", str(file), "--out", str(out), "--level", repr(network.level), *method]
        assert main(command) == 0
        lines = [line.split() for line in out.read_text().splitlines()]
        places = [[float(x) for x in line[1:]] for line in lines if line[0] == "v"]
        faces = sorted(len(line) - 1 for line in lines if line[0] == "f")
        assert faces == sorted(surface.polygons.offsets.diff().tolist()), method
        away = _distance(torch.tensor(places, dtype=torch.float64), surface.vertices)
        assert away < DOUBLE * (network.box.upper[0] - network.box.lower[0]), method


def check_count_command(network: Network, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`creased count` counts the cells of all creases, whatever the method."""
    counts = creased.count_cells(network.module, network.box, level=None, dtype=torch.float64)
    for method in ("stream", "exact"):
        capsys.readouterr()
        assert main(["count", str(file), "--method", method]) == 0
        assert f" {', '.join(f'{count:,}' for count in counts)} (cells" in capsys.readouterr().out, method


def _distance(first: Tensor, second: Tensor) -> float:
    """The Hausdorff distance of two sets of points."""
    distances = torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    return float(torch.maximum(distances.amin(0).max(), distances.amin(1).max()))


def check(seed: int, file: Path, capsys: pytest.CaptureFixture[str], n_times: int = 1) -> None:
    """Compare all ways to the complex and to the level set of one network, by a checkpoint too."""
    network, n_parts = random_network(seed, n_times), 2 + seed % 7
    check_pieces(check_agreement(complexes_of(network, n_parts), network), network)
    surface = check_agreement(level_sets_of(network, n_parts), network)
    program = lower(network.module, dtype=torch.float64).detach()
    record = Record(program, network.box, Similarity.identity(), "blob", 1)
    torch.save({KEY: write_record(record)}, file)
    if n_times == 1:
        check_count_command(network, file, capsys)
    if surface.dim == 3 and not surface.is_empty:
        check_extract_command(surface, network, file)


@pytest.mark.parametrize("seed", but_few(range(24), 8))
def test_all_ways_give_the_same_cells(seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    check(seed, tmp_path / "last.ckpt", capsys)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24, 168, 24))
def test_all_ways_give_the_same_cells_of_many_networks(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(seed, seed + 24):
        check(number, tmp_path / "last.ckpt", capsys, n_times=1 + number // 24 % 2)
