"""What paths show: epochs in their order, meshes with their creases, and mistakes in one line."""

from pathlib import Path

import numpy as np
import pytest
import torch

import creased
from creased.cli.main import main
from creased.io.checkpoint import KEY, CheckpointError, Record, write_record
from creased.io.similarity import Similarity
from creased.viewer.scene import PLANE
from creased.viewer.sources import shots_of
from tests.viewer.nets import CUBE, tiny_program

trimesh = pytest.importorskip("trimesh")


def keep(path: Path, epoch: int, n_inputs: int = 3) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    program = tiny_program(n_inputs, seed=epoch)
    record = Record(program, CUBE, Similarity.identity(), "blob", epoch)
    torch.save({KEY: write_record(record)}, path)


def test_a_network_on_a_grid_is_shown_and_cut_with_the_planes_of_its_grid(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = creased.GridMLP(3, (2, 4), 2, 8).double()
    for table in network.grid.tables:
        torch.nn.init.normal_(table)
    program, cube = creased.lower(network).detach(), creased.Box.cube(3, 0.5)
    path = tmp_path / "grid.ckpt"
    torch.save({KEY: write_record(Record(program, cube, Similarity.identity(), "blob", 1))}, path)
    (shot,) = shots_of(path, level=float(program(torch.full((1, 3), 0.1).double())))
    assert {"plane of the grid", "wall of the domain", "layer 1"} == set(shot.scene.legend)
    assert shot.field is not None
    found = shot.field.section(2, 0.0)
    assert found.n_regions > 32  # the triangles of the plane
    assert tuple(PLANE) in {tuple(colour) for colour in found.cells.colours.tolist()}
    np.testing.assert_allclose(found.level.points[:, :, 2], 0, atol=1e-7)
    values = program(torch.from_numpy(found.level.points.reshape(-1, 3)).double())
    torch.testing.assert_close(values, torch.full_like(values, shot.field.level), atol=1e-5, rtol=0)


def test_a_run_folder_shows_its_epochs_in_order(tmp_path: Path) -> None:
    for epoch in (10, 2, 1):
        keep(tmp_path / "epochs" / f"epoch_{epoch:03d}.ckpt", epoch)
    shots = shots_of(tmp_path)
    assert [shot.label for shot in shots] == ["epoch 1", "epoch 2", "epoch 10"]
    assert shots[2].scene.caption.startswith("blob, epoch 10")
    assert shots[0].scene is shots[0].scene  # read once
    assert shots[1].field is not None


def test_a_run_folder_without_epochs_shows_its_last_checkpoint(tmp_path: Path) -> None:
    keep(tmp_path / "checkpoints" / "last.ckpt", 7)
    (shot,) = shots_of(tmp_path)
    assert shot.scene.caption.startswith("blob, epoch 7")


@pytest.mark.parametrize("ending", ["ply", "glb", "stl"])
def test_creases_of_a_mesh_are_where_it_bends(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"box.{ending}"
    path.write_bytes(trimesh.creation.box().export(file_type=ending))
    (shot,) = shots_of(path)
    assert shot.field is None
    assert len(shot.scene.triangles) == 12
    lengths = np.linalg.norm(np.diff(shot.scene.creases.points, axis=1)[:, 0], axis=1)
    np.testing.assert_allclose(lengths, np.ones(12), atol=1e-6)  # no diagonal among them


def test_mistakes_end_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "no.ply").write_bytes(b"not a mesh")
    weights = {"0.weight": torch.ones(1, 3), "0.bias": torch.ones(1)}
    torch.save(weights, tmp_path / "weights.pt")
    for name, said in (
        ("no.ply", "no.ply"),
        ("absent.glb", "there is no file"),
        ("empty", "there is no checkpoint"),
        ("weights.pt", "--half-width"),
    ):
        (tmp_path / "empty").mkdir(exist_ok=True)
        assert main(["view", str(tmp_path / name)]) == 1
        err = capsys.readouterr().err
        assert said in err
        assert err.startswith("creased: ")
        assert err.count("\n") == 1


def test_networks_of_many_inputs_are_to_be_sliced(tmp_path: Path) -> None:
    torch.save({"0.weight": torch.ones(1, 5), "0.bias": torch.ones(1)}, tmp_path / "weights.pt")
    with pytest.raises(CheckpointError, match="5 inputs"):
        _ = shots_of(tmp_path / "weights.pt", half_width=1.0)[0].scene
