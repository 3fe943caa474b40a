"""Meshes of each epoch are written with what is known of them, and closed along the walls if so asked."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import trimesh

import creased
from creased.io.similarity import Similarity
from creased.shapes import load_shape
from creased.training.callbacks import ExtractLevelSet, SaveMesh
from creased.training.module import SDFModule


@pytest.fixture
def module() -> SDFModule:
    torch.manual_seed(0)
    network = creased.MLP(3, 8, 2).double()
    with torch.no_grad():
        network[-1].bias -= network(torch.zeros(1, 3).double())[0]
    to_domain = Similarity((10.0, 0.0, 0.0), 0.1)
    shape = replace(load_shape("", trimesh.creation.box), to_domain=to_domain)
    made = SDFModule(network, {}, torch.optim.Adam, lambda _: 1.0, shape=shape)
    made.surface.keep(creased.extract_level_set(network, made.domain))
    return made


def trainer_of(module: SDFModule) -> Any:
    extraction = ExtractLevelSet()
    trainer = SimpleNamespace(is_global_zero=True, callbacks=[extraction])
    extraction.setup(trainer, module, "fit")  # type: ignore[arg-type]
    return trainer


def test_each_mesh_has_metadata(module: SDFModule, tmp_path: Path) -> None:
    trainer = trainer_of(module)
    SaveMesh(str(tmp_path)).on_train_epoch_end(trainer, module)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "mesh.glb",
        "mesh.glb.json",
        "mesh.ply",
        "mesh.ply.json",
    ]
    known = json.loads((tmp_path / "mesh.ply.json").read_text())
    assert known["audit"]["n_boundary_edges"] > 0
    assert known["to_domain"]["scale"] == 0.1
    SaveMesh(str(tmp_path), ["stl"], boundary="cap").on_train_epoch_end(trainer, module)
    assert trimesh.load(tmp_path / "mesh.stl").is_watertight
    assert json.loads((tmp_path / "mesh.stl.json").read_text())["audit"]["is_closed"]


def test_a_cut_surface_that_may_not_be_leaves_the_old_mesh(
    module: SDFModule, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trainer = trainer_of(module)
    (tmp_path / "mesh.ply").write_text("old")
    SaveMesh(str(tmp_path), ["ply"], boundary="error").on_train_epoch_end(trainer, module)
    assert (tmp_path / "mesh.ply").read_text() == "old"
    assert "walls cut the surface at" in caplog.text
    assert "training continues" in caplog.text


def test_an_unknown_boundary_is_refused_at_once() -> None:
    boundary: Any = "closed"
    with pytest.raises(ValueError, match=r"boundary.*open, cap, error.*closed"):
        SaveMesh("somewhere", boundary=boundary)


@pytest.mark.parametrize("formats", ["stl", ["ply", "stp"]])
def test_formats_that_cannot_be_written_are_refused_before_training(formats: Any) -> None:
    with pytest.raises(ValueError, match=r"list such as|mesh\.stp"):
        SaveMesh("somewhere", formats)


def test_what_stl_loses_is_said_once(
    module: SDFModule, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    module.to_domain = Similarity((1e7, 0.0, 0.0), 0.1, "meter")
    save = SaveMesh(str(tmp_path), ["stl"])
    for _ in range(2):
        save.on_train_epoch_end(trainer_of(module), module)
    (record,) = caplog.records
    assert "single precision" in record.getMessage()
