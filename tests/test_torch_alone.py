"""With torch alone: the help of all commands, and an exact mesh in a file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.configs import ROOT

BARE = """
import sys, tomllib
from pathlib import Path

class Without:
    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, *rest):
        return None if name.partition(".")[0] in REFUSED else self.finder.find_spec(name, *rest)

MODULES = {"pillow": "PIL", "python-flint": "flint", "warp-lang": "warp", "hydra-core": "hydra",
           "open3d-cpu": "open3d", "scikit-learn": "sklearn"}
extras = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
names = {word.split(">")[0].split("[")[0] for words in extras.values() for word in words} - {"creased"}
REFUSED = {MODULES.get(name, name.replace("-", "_")) for name in names}
assert {"numpy", "viser", "lightning", "numba"} <= REFUSED
sys.meta_path[:] = [Without(finder) for finder in sys.meta_path]
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BARE + code, *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=120)


HELP_AND_MESH = """
from creased.cli.main import main
from creased.cli.examples import SUMMARIES
for words in ([], *([command] for command in SUMMARIES)):
    try:
        main([*words, "--help"])
    except SystemExit as error:
        assert error.code == 0
print(len(SUMMARIES))
import torch, creased
network = creased.MLP(3, 8, 2)
level = network(torch.zeros(1, 3)).item()
surface = creased.TrackedLevelSet(network, creased.Box.cube(3, 1.0), level)
surface.term(creased.geometry.EdgeLength()).backward()
for ending in ("obj", "ply"):
    creased.save(surface.extract(), f"{sys.argv[1]}/x.{ending}")
"""


def test_every_command_has_help_and_a_surface_is_extracted_followed_and_saved(tmp_path: Path) -> None:
    done = run(HELP_AND_MESH, str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("usage: creased") == 1 + int(done.stdout.split()[-1])
    vertices = [line for line in (tmp_path / "x.obj").read_text().splitlines() if line.startswith("v ")]
    assert f"element vertex {len(vertices)}\n" in (tmp_path / "x.ply").read_text()
    assert len(vertices) > 3


@pytest.mark.slow
def test_a_command_that_needs_more_says_what_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "mesh.ply").write_text("ply\n")
    for words in (["view", "mesh.ply"], ["check", "mesh.ply"]):
        done = run("from creased.cli.main import main\nsys.exit(main(sys.argv[1:]))", *words)
        assert done.returncode == 1
        (said,) = (line for line in done.stderr.splitlines() if line.startswith("creased: "))
        assert "pip install 'creased[" in said
        assert "Traceback" not in done.stderr
