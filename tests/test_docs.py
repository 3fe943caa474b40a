"""What the documents show is there, runs and parses: pictures, links, command lines, the site."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hydra.errors import HydraException

from creased.cli.parser import make_parser
from tests.configs import ROOT, composed
from tests.slow import but_few
from tests.test_docs_code import PAGES, write_onnx

TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FILE = re.compile(
    r"(?<![\w/])((?:scripts|configs|tests|src|core|networks|geometry|tropical|meshes|io|shapes|render|training)"
    r"/[\w/]+\.(?:py|yaml))"
)
SCRIPT = re.compile(r"-m (scripts(?:\.\w+)+)")
WITHOUT_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"^(?: {4})?\./run (.*)$", re.MULTILINE)
OWN = ("capsule", "mirrored", "length_variance", "long_edges", "parallelepiped")  # what docs/ add


def _commands(page: Path) -> list[list[str]]:
    """The words of the command lines that begin with ./run."""
    text = page.read_text().replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in COMMAND.findall(text)]


COMMANDS = [(page.name, words) for page in TEXTS for words in _commands(page)]
TRAININGS = [words[1:] for _, words in COMMANDS if words[:1] == ["train"]]


RUN = """#!/bin/sh
command=$1; shift
case $command in
    train) exec "$PYTHON" "$ROOT/train.py" "$@" ;;
    creased) exec "$PYTHON" -c 'import sys; from creased.cli.main import main; sys.exit(main())' "$@" ;;
    python) exec "$PYTHON" "$@" ;;
esac
"""


@pytest.mark.slow
def test_the_command_lines_of_the_recipes_run(tmp_path: Path) -> None:
    write_onnx(tmp_path / "model.onnx")
    (tmp_path / "run").write_text(RUN)
    (tmp_path / "run").chmod(0o755)
    text = (ROOT / "docs" / "recipes.md").read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    paths = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    names = {"ROOT": str(ROOT), "PYTHON": sys.executable, "CREASED_ROOT": str(tmp_path), "PYTHONPATH": paths}
    for block in blocks:
        done = subprocess.run(
            ["sh", "-e", "-c", block], capture_output=True, text=True, cwd=tmp_path, env=os.environ | names
        )
        assert done.returncode == 0, done.stdout + done.stderr
    for name in ("part.3mf", "mesh.ply", "summary/table.md"):
        assert (tmp_path / name).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_and_pictures_exist(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", WITHOUT_CODE.sub("", page.read_text())):
        if not target.startswith(("https://", "#")):
            assert (page.parent / target.split("#")[0]).exists(), f"{page.name}: {target}"


def test_every_page_is_in_the_navigation() -> None:
    listed = re.findall(r"[\w/]+\.md", (ROOT / "mkdocs.yml").read_text().split("nav:")[1])
    assert {page.relative_to(ROOT / "docs").as_posix() for page in PAGES} <= set(listed)


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.stem)
def test_scripts_and_files_that_are_named_exist(page: Path) -> None:
    for name in FILE.findall(page.read_text()):
        if Path(name).stem.removeprefix("test_") not in OWN:
            assert (ROOT / name).exists() or (ROOT / "src" / "creased" / name).exists(), name
    for module in SCRIPT.findall(page.read_text()):
        assert (ROOT / f"{module.replace('.', '/')}.py").exists(), module


@pytest.mark.parametrize(("page", "words"), [(p, w) for p, w in COMMANDS if w[:1] == ["creased"]])
def test_command_lines_parse(page: str, words: list[str]) -> None:
    assert make_parser().parse_args(words[1:]).command == words[1]


def test_there_are_command_lines() -> None:
    assert len(TRAININGS) > 5
    assert {words[0] for _, words in COMMANDS} <= {"train", "test", "creased", "python"}


@pytest.mark.parametrize(
    "overrides", but_few(sorted({tuple(words) for words in TRAININGS}), 12), ids=" ".join
)
def test_overrides_of_trainings_compose(overrides: tuple[str, ...]) -> None:
    words = [word for word in overrides if not word.startswith("-") and "my_configs" not in word]
    names = [word for word in words if word.split("=")[-1] not in OWN]
    swept = [re.sub(r"^([\w.]+)=([^\[{(,]+),.*", r"\1=\2", word) for word in names]
    assert composed(*swept).model is not None


def test_a_wrong_override_would_be_noticed() -> None:
    with pytest.raises(HydraException, match="widht"):
        composed("model.widht=3")


def test_the_configurations_shown_have_what_those_of_the_project_have() -> None:
    text = (ROOT / "docs" / "extending.md").read_text()
    shape, _, regularizer = (yaml.safe_load(y) for y in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    torus = yaml.safe_load((ROOT / "configs" / "shape" / "torus.yaml").read_text())
    area = yaml.safe_load((ROOT / "configs" / "regularizer" / "area.yaml").read_text())
    assert shape.keys() == torus.keys()
    assert regularizer["length_variance"].keys() == area["area"].keys()


@pytest.mark.slow
def test_the_site_builds_and_fetches_nothing(tmp_path: Path) -> None:
    site = tmp_path / "site"
    done = subprocess.run(
        # quietly it would not count warnings
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(site)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    for page in site.rglob("*.html"):
        fetched = re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=\"?(https?:[^\s\">]+)", page.read_text())
        assert [url for url in fetched if "localhost" not in url] == [], page.name
    assert "extract_level_set" in (site / "api" / "index.html").read_text()
    assert "module-attribute" not in (site / "api" / "index.html").read_text()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):  # executed, with figures
        assert "Plotly.newPlot" in (site / "notebooks" / notebook.stem / "index.html").read_text()
