"""The code that the documents show runs, and what it takes from creased is there."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from matplotlib import pyplot
from onnx import helper, numpy_helper

from tests.configs import ROOT
from tests.slow import slow

PAGES = sorted((ROOT / "docs").rglob("*.md"))
BLOCK = re.compile(r"^```python(?P<marks>[^\n]*)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
SLOW_PAGES = ("classification_fans", "your_project", "grids")  # which take seconds


def _code(page: Path) -> str:
    """The blocks of a page in order; those marked `.no-run` train for minutes."""
    blocks = BLOCK.finditer(page.read_text())
    return "\n".join(block["code"] for block in blocks if ".no-run" not in block["marks"])


def names_of_creased() -> list[str]:
    """Dotted names that the code of the pages and of the README takes from creased."""
    trees = [ast.parse(_code(page)) for page in (*PAGES, ROOT / "README.md")]
    attributes = {ast.unparse(n) for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    return sorted(name for name in attributes if re.fullmatch(r"creased(\.\w+)+", name))


WITH_CODE = [slow(page) if page.stem in SLOW_PAGES else page for page in PAGES if _code(page)]


def write_onnx(path: Path) -> None:
    """A model of three inputs, with random weights, that is zero at the origin."""
    draw = np.random.default_rng(0)
    weights = {f"w{i}": draw.normal(size=shape) for i, shape in enumerate(((3, 16), (16, 16), (16, 1)))}
    nodes, last = [], "x"
    for i, name in enumerate(weights):
        nodes.append(helper.make_node("MatMul", [last, name], [f"z{i}"]))
        last = f"z{i}"
        if i < 2:
            nodes.append(helper.make_node("Relu", [last], [f"a{i}"]))
            last = f"a{i}"
    ends = [
        helper.make_tensor_value_info(name, onnx.TensorProto.DOUBLE, ["n", d])
        for name, d in (("x", 3), (last, 1))
    ]
    graph = helper.make_graph(
        nodes, "model", ends[:1], ends[1:], [numpy_helper.from_array(w, n) for n, w in weights.items()]
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), str(path))


@pytest.mark.filterwarnings("ignore:.*LeafSpec.*", "ignore:.*does not have many workers.*")  # of Lightning
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: page.stem)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_onnx(tmp_path / "model.onnx")
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(_code(page), page.name, "exec"), names)  # warnings are errors
    pyplot.close("all")
    assert "creased" in names


@pytest.mark.slow
def test_users_code_is_clean_under_strict_mypy(tmp_path: Path) -> None:
    page = ROOT / "docs" / "your_project.md"
    (tmp_path / "users.py").write_text(_code(page))
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = True\nuntyped_calls_exclude = torch\n")
    words = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "users.py"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, timeout=280)
    assert done.returncode == 0, done.stdout
    lengths = [block["code"].strip().count("\n") + 1 for block in BLOCK.finditer(page.read_text())]
    assert lengths[0] <= 20
    assert lengths[-1] <= 30
