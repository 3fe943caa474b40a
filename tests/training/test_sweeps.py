"""Several runs by one command: each with a folder of its own."""

import json
from pathlib import Path

import pytest
import trimesh

from tests.configs import train

TINY = ["experiment=smoke", "trainer.max_epochs=1", "data.n_batches=20", "data.n_samples=2000"]
TINY += ["callbacks.draw=null", "callbacks.progress=null", "evaluation.complete=false"]

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("launcher", ["processes", "submitit_local"])
def test_launchers_give_each_run_its_folder(tmp_path: Path, launcher: str) -> None:
    done = train(tmp_path, "-m", f"hydra/launcher={launcher}", "shape=sphere,torus", *TINY)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    assert {path.parent.name for path in sweep.glob("*/metrics.json")} == {"0_sphere", "1_torus"}
    assert (sweep / "1_torus" / "checkpoints" / "last.ckpt").is_file()


def test_shapes_of_files_have_the_names_and_licences_that_are_given(tmp_path: Path) -> None:
    for name in ("a", "b"):
        trimesh.creation.icosphere(subdivisions=1).export(tmp_path / f"{name}.stl")
    files = ",".join(str(tmp_path / f"{name}.stl") for name in ("a", "b"))
    done = train(tmp_path, "-m", f"shape.path={files}", "shape.licence=CC0", *TINY)
    assert done.returncode == 0, done.stderr
    (sweep,) = (tmp_path / "logs" / "train" / "multiruns").iterdir()
    for folder, name in (("0_a", "a"), ("1_b", "b")):
        metrics = json.loads((sweep / folder / "metrics.json").read_text())
        assert (metrics["shape"], metrics["licence"], metrics["credit"]) == (name, "CC0", "")
        assert b"shape.licence=CC0" in (sweep / folder / ".hydra" / "overrides.yaml").read_bytes()
        assert name in (sweep / folder / "train.log").read_text()
