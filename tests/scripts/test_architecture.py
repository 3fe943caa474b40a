"""The picture of the architecture shows the imports there are, and the contracts allow them."""

import json
import tomllib

import pytest
from PIL import Image

from scripts.pictures import architecture
from tests.configs import ROOT


@pytest.fixture(scope="module")
def arrows() -> set[tuple[str, str]]:
    return architecture.find_arrows()


def test_the_picture_in_the_documents_shows_these_imports(arrows: set[tuple[str, str]]) -> None:
    with Image.open(ROOT / "docs" / "pictures" / "architecture.png") as picture:
        assert set(map(tuple, json.loads(picture.text["arrows"]))) == arrows


def test_every_arrow_is_one_that_the_contracts_allow(arrows: set[tuple[str, str]]) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    floors = {}  # the deeper, the larger
    for contract in contracts:
        (container,) = contract.get("containers", [""])
        if contract["type"] == "layers" and container in ("", "creased.core"):
            for floor, layer in enumerate(contract["layers"]):
                for name in layer.split(" | "):
                    box = f"{container}.{name}".removeprefix(".").removeprefix("creased.")
                    box = architecture.IN_BOX.get(box, box)
                    floors[box if box in architecture.BOXES else architecture.LOOSE] = floor
    assert floors.keys() == architecture.BOXES.keys()
    assert [(a, b) for a, b in arrows if floors[a] >= floors[b]] == []


def test_every_arrow_has_a_free_way_down(arrows: set[tuple[str, str]]) -> None:
    drawn = architecture.reduced(arrows)
    assert all(end > start for _, start, end in (architecture.find_way(*arrow) for arrow in drawn))
    assert {name for arrow in drawn for name in arrow} == architecture.BOXES.keys()


def test_arrows_left_out_are_those_that_a_longer_way_replaces() -> None:
    arrows = {("a", "b"), ("b", "c"), ("a", "c"), ("a", "d")}
    assert architecture.reduced(arrows) == [("a", "b"), ("a", "d"), ("b", "c")]


def test_the_files_of_the_way_exist() -> None:
    for box in architecture.WAY.values():
        assert (ROOT / "src" / "creased" / box.about).exists(), box.about
