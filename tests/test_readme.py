"""What the README shows runs, and says what is there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_the_python_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Euler characteristic" in done.stdout


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
