"""Pictures on disk, with captions and in contact sheets; nothing is half written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from creased.render import images

pytest.importorskip("matplotlib")
pytest.importorskip("PIL")

PICTURE = np.random.default_rng(0).integers(0, 256, (160, 160, 3), dtype=np.uint8)


def test_saved_picture_reads_back(tmp_path: Path) -> None:
    images.save_png(PICTURE, tmp_path / "new" / "cube.png")
    np.testing.assert_array_equal(images.load_png(tmp_path / "new" / "cube.png"), PICTURE)


def test_failing_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cube.png"
    images.save_png(PICTURE, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="full"):
        images.save_png(np.zeros((4, 4, 3), np.uint8), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_caption_leaves_the_picture_as_it_is() -> None:
    image = images.captioned(PICTURE, "epoch 3 · 6 faces")
    np.testing.assert_array_equal(image[: len(PICTURE)], PICTURE)
    below = image[len(PICTURE) :].reshape(-1, 3)
    assert len(np.unique(below, axis=0)) > 1  # words on paper


@pytest.mark.parametrize(("n", "columns", "rows"), [(1, None, 1), (7, None, 3), (7, 4, 2), (40, None, 4)])
def test_contact_sheet_is_a_grid_of_cells(n: int, columns: int | None, rows: int, tmp_path: Path) -> None:
    frames = [(f"epoch {i}", np.full((30, 30, 3), i, np.uint8)) for i in range(n)]
    sheet = images.contact_sheet(frames, tmp_path / "sheet.png", columns=columns, cell=60)
    across = columns or {1: 1, 7: 3, 40: 4}[n]
    cell = images.captioned(np.zeros((60, 60, 3), np.uint8), "")
    assert sheet.shape == (rows * (cell.shape[0] + 3) + 3, across * 63 + 3, 3)
    np.testing.assert_array_equal(images.load_png(tmp_path / "sheet.png"), sheet)


def test_thinned_contact_sheet_keeps_the_first_and_the_last(tmp_path: Path) -> None:
    frames = [(str(i), np.full((30, 30, 3), i, np.uint8)) for i in range(101)]
    sheet = images.contact_sheet(frames, tmp_path / "sheet.png", cell=60)
    height = (sheet.shape[0] - 3) // 4
    shown = sheet[10::height, 10::63][:4, :4, 0].reshape(-1).astype(int)
    assert (shown[0], shown[-1]) == (0, 100)
    assert set(np.diff(shown)) <= {6, 7}


def test_contact_sheet_refuses_nothing_and_a_mixture(tmp_path: Path) -> None:
    small, large = np.zeros((4, 4, 3), np.uint8), np.zeros((8, 4, 3), np.uint8)
    for frames in ([], [("small", small), ("large", large)]):
        with pytest.raises(ValueError, match="contact_sheet"):
            images.contact_sheet(frames, tmp_path / "sheet.png")
    assert not list(tmp_path.iterdir())


def test_a_long_caption_is_not_cut_off() -> None:
    image = np.zeros((60, 240, 3), np.uint8)
    strip = images.captioned(image, "distance: p99 0.628, max 1.08; longest side 60")[60:]
    is_paper = (strip == strip[0, 0]).all(axis=(0, 2))
    assert is_paper[:2].all()
    assert is_paper[-2:].all()
    assert not is_paper.all()
