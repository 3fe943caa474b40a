"""The core imports torch and the standard library only."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import creased

CORE = sorted((Path(creased.__file__).parent / "core").glob("*.py"))


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module if node.level == 0 and node.module else f"relative in {path.name}"


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.stem)
def test_core_module_imports_torch_and_the_standard_library_only(path: Path) -> None:
    allowed = {"torch", *sys.stdlib_module_names}
    for module in imported_modules(path):
        assert module.split(".")[0] in allowed or module.startswith("creased.core"), module
