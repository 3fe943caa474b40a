"""Units of length, and lengths with a unit."""

import pytest
import torch

from creased.io.checkpoint import Record
from creased.io.similarity import Similarity
from creased.io.units import UNITS, Length, UnitError, conversion, parse_length, parse_unit, unit_of_meters


@pytest.mark.parametrize(
    ("names", "unit"),
    [
        (("mm", "Millimeter", "millimetres"), "millimeter"),
        (("in", "inches", '"'), "inch"),
        (("um", "µm", "microns", "micrometers"), "micron"),
        (("m", "metre"), "meter"),
        (("ft", "feet", "foot"), "foot"),
        (("cm",), "centimeter"),
    ],
)
def test_units_go_by_many_names(names: tuple[str, ...], unit: str) -> None:
    assert {parse_unit(name) for name in names} == {unit}
    assert unit_of_meters(conversion(unit, "meter")) == unit


@pytest.mark.parametrize("text", ["", "parsec", "s", "mmm"])
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(UnitError, match="mm"):
        parse_unit(text)


def test_lengths_are_parsed_with_and_without_a_unit() -> None:
    assert parse_length("1mm") == Length(1.0, "millimeter")
    assert parse_length(" -2.5e-1 inches") == Length(-0.25, "inch")
    assert parse_length("3e2m") == Length(300.0, "meter")
    assert parse_length(".5") == Length(0.5, None)
    for text in ("mm", "1e999", "1 2", "nan", "1 parsec"):
        with pytest.raises(UnitError):
            parse_length(text)


def test_an_offset_is_a_level_in_the_domain() -> None:
    to_domain = Similarity((1.0, 2.0, 3.0), 0.01, "millimeter")
    record = Record(None, None, to_domain, "part", 1)  # type: ignore[arg-type]  # of which only the map counts
    assert record.level_of(parse_length("1cm")) == pytest.approx(0.1)
    assert record.level_of(parse_length("-1")) == pytest.approx(-0.01)
    with pytest.raises(UnitError, match="1 cm"):
        Record(None, None, Similarity.identity(), "", 0).level_of(Length(1, "centimeter"))  # type: ignore[arg-type]


def test_a_map_in_another_unit_is_the_same_map() -> None:
    to_domain = Similarity((254.0, 0.0, -25.4), 0.01, "millimeter")
    points = torch.rand(5, 3, dtype=torch.float64)
    for unit in UNITS:
        other = to_domain.in_unit(unit)
        assert other.unit == unit
        factor = conversion("millimeter", unit)
        torch.testing.assert_close(other.apply(points * factor), to_domain.apply(points))
        assert Similarity.from_dict(other.as_dict()) == other
    assert to_domain.in_unit(None) == to_domain
    assert Similarity.identity().in_unit("foot") == Similarity((0.0, 0.0, 0.0), 1.0, "foot")
