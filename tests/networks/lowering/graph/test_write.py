"""Convolutions are written in compressed rows, and all that reads programs takes them."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import creased
from creased.core.exact.integer_program import IntegerAffine
from creased.core.numerics.sparse import dense
from creased.core.numerics.tensors import map_tensors
from creased.core.program.program import Program
from creased.io.checkpoint import KEY, Record, read_record, write_record
from creased.io.similarity import Similarity
from creased.networks.lowering.graph import write
from creased.tropical.cells.fingerprints import map_residues

SHAPE = (1, 9, 9)


class Residual(nn.Module):
    """Two convolutions, one of them beside a skip, pooling and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4 * 3 * 3, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x))
        y = torch.relu(self.second(y)) + y
        return self.last(nn.functional.avg_pool2d(y, 3).flatten(1))


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch) -> Program:
    monkeypatch.setattr(write, "NUMBERS", 1 << 13)
    torch.manual_seed(0)
    module = Residual().double()
    with torch.no_grad():
        return creased.lower(module, input_shape=SHAPE)


def is_sparse(tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.layout == torch.sparse_csr


def test_convolutions_and_skips_are_compressed(program: Program) -> None:
    first, second, _ = program.exact.blocks
    assert all(map(is_sparse, (first.affine.matrix, second.affine.matrix, second.mix, second.skip)))
    assert first.affine.matrix.values().numel() <= 4 * 81 * 9
    assert not is_sparse(program.head.matrix)


def test_whole_and_in_batches_are_the_same_program(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    torch.manual_seed(0)
    whole = creased.lower(Residual().double(), input_shape=SHAPE)
    for one, other in zip(program.tensors(), whole.tensors(), strict=True):
        torch.testing.assert_close(dense(one), other)


def test_gradients_reach_all_weights_of_a_module_written_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "NUMBERS", 1 << 13)
    module = Residual().double()
    program = creased.lower(module, input_shape=SHAPE)
    x = torch.rand((5, 81), dtype=torch.float64)
    weights = list(module.parameters())
    found = torch.autograd.grad(program(x).sum(), weights)
    expected = torch.autograd.grad(module(x.reshape(5, *SHAPE)).sum(), weights)
    torch.testing.assert_close(found, expected)


def test_what_reads_programs_takes_compressed_rows(program: Program) -> None:
    plain = program.in_both_forms(lambda form: map_tensors(form, dense))
    x = torch.rand((5, 81), dtype=torch.float64)
    masks = (plain.preactivations(x)[:, :-1] > 0).double()
    for read in (
        lambda p: p.preactivations(x),
        lambda p: p.preactivations_on(x, masks),
        lambda p: p.maps_on(masks),
        lambda p: p.gradients_on(masks),
        lambda p: p.to(torch.float32)(x.float()),
        lambda p: p.linear_part()(x),
        lambda p: map_residues(p, masks),
    ):
        torch.testing.assert_close(read(program), read(plain))
    for one, other in zip(program.blocks, plain.blocks, strict=True):
        found, expected = IntegerAffine.of(one.affine), IntegerAffine.of(other.affine)
        assert (found.columns, found.entries, found.shift) == (
            expected.columns,
            expected.entries,
            expected.shift,
        )


@pytest.mark.parametrize("method", ["subdivide", "march"])
def test_level_sets_of_slices_are_those_of_dense_matrices(program: Program, method: str) -> None:
    origin = torch.rand(81, generator=torch.Generator().manual_seed(1)).double()
    basis = torch.eye(81, dtype=torch.float64)[:, [40, 50]]
    level = float(program(origin)[0])
    box = creased.Box.cube(2, 2.0)
    found, expected = (
        creased.extract_level_set(creased.slice_program(p, origin, basis).program, box, level, method=method)
        for p in (program, map_tensors(program, dense))
    )
    assert len(found.vertices) == len(expected.vertices) > 2
    distances = (found.vertices[:, None] - expected.vertices).norm(dim=2)
    assert float(distances.amin(1).max()) < 1e-9


def test_checkpoints_keep_compressed_rows(program: Program, tmp_path: Path) -> None:
    record = Record(program, creased.Box.cube(81, 1.0), Similarity.identity(), "image", 0)
    torch.save({KEY: write_record(record)}, tmp_path / "net.ckpt")
    again = read_record(tmp_path / "net.ckpt").program
    for one, other in zip(again.tensors(), program.tensors(), strict=True):
        assert one.layout == other.layout
        assert torch.equal(dense(one), dense(other))
