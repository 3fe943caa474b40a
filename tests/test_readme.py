"""What the README shows runs, and says what is there."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_docs_code import names_of_creased

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
HEAVY = "numpy.testing lightning hydra trimesh open3d warp wandb matplotlib pymeshfix"


@pytest.fixture(scope="module")
def printed() -> list[str]:
    """Lines of a fresh process: heavy modules that `import creased` loads, then what the README prints."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    before = f"import sys, creased\nprint([m for m in {HEAVY.split()} if m in sys.modules])\n"
    names = names_of_creased()
    assert "creased.extract_level_set" in names
    words = ["-W", "error", "-c", "\n".join([before, *names, code])]
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_importing_creased_imports_no_heavy_package(printed: list[str]) -> None:
    assert printed[0] == "[]"


def test_the_python_of_the_readme_runs(printed: list[str]) -> None:
    assert "Euler characteristic" in "".join(printed[1:])


def test_the_shapes_and_files_of_the_readme_exist() -> None:
    for name in re.findall(r"`(\w+/[\w/]+\.py)`", README):
        assert (ROOT / "src" / "creased" / name).exists(), name
    shapes = {path.stem for path in (ROOT / "configs" / "shape").glob("*.yaml")}
    section = README[README.index("Shapes that need no download") :].split("Their licences")[0]
    assert set(re.findall(r"`(\w+)`", section)) == shapes


def test_the_readme_is_short_and_begins_with_a_picture() -> None:
    assert README.startswith("![")
    assert README.count("\n") <= 150
    assert (ROOT / re.search(r"\]\((docs/[^)]+)\)", README).group(1)).exists()  # type: ignore[union-attr]
