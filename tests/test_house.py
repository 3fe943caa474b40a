"""The house is in order: who imports whom, how long files and functions are, what configs look like."""

import ast
import sys
from pathlib import Path

import pytest
import yaml

import creased

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src" / "creased").rglob("*.py"))


COMPILED = {
    "lane",
    "compiled_cut",
    "compiled_filter",
    "compiled_incidence",
    "flat_program",
    "compiled_numbers",
    "compiled_rows",
    "available",
    "compiler",
    "sign_bits",
}  # modules that call kernels
CORE = sorted((ROOT / "src" / "creased" / "core").rglob("*.py"))


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_imports_torch_and_the_standard_library_only(path: Path) -> None:
    """And, in the kernels, what compiles them; these are imported where they are used, if numba is there."""
    allowed = {"torch", *sys.stdlib_module_names}
    if path.parent.name == "kernels" or path.stem in COMPILED:
        allowed |= {"numba", "numpy"}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            names = [node.module or ""]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            root = name.split(".")[0]
            assert root in allowed or name.startswith("creased.core"), name


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_every_file_opens_with_what_it_is_for_and_stays_short(path: Path) -> None:
    text = path.read_text()
    assert ast.get_docstring(ast.parse(text))
    assert text.count("\n") < 400


def test_no_function_is_longer_than_sixty_lines() -> None:
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                assert length - (ast.get_docstring(node) or "").count("\n") <= 60, f"{path.name}: {node.name}"


@pytest.mark.parametrize("path", sorted((ROOT / "configs").rglob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_begins_with_the_command_that_runs_it(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert len(lines) <= 50
    assert any(line.startswith("# python train.py") for line in lines[:2])


def test_every_hook_before_a_commit_is_a_check_of_ci() -> None:
    commands = (ROOT / ".ci" / "run").read_text().replace("$bin/", ".venv/bin/").splitlines()
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    entries = {hook["entry"] for hook in repo["hooks"]}
    tools = [line for line in commands if line.startswith(".venv/bin/")]
    assert entries == {line for line in tools if "-m" not in line and "python" not in line}


def test_the_version_is_the_same_wherever_it_stands() -> None:
    version = creased.__version__
    assert f"\nversion: {version}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"version = {{{version}}}" in (ROOT / "docs" / "cite.md").read_text()
    assert (ROOT / "CHANGELOG.md").read_text().split("\n## ")[1].startswith(f"{version} (")
