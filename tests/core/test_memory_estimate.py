"""What is expected is said in words before anything is extracted, and is of the right size."""

import re

import torch

import creased
from creased.core.memory_estimate import expect, format_expected
from creased.core.numerics.tensors import map_tensors
from creased.core.options import options_of
from creased.core.provenance import Method


def _program(widths: tuple[int, ...], dim: int = 3) -> creased.Program:
    return creased.lower(creased.MLP(dim, widths[0], len(widths))).detach()


def test_the_expected_memory_is_that_of_fitted_networks() -> None:
    # 4x512 on the bunny: 2.8 million faces in 5.6 GB; 4x256: 0.85 million in 1.3 GB (docs/benchmarks.md)
    for width, n_faces, gigabytes in ((512, 2.8e6, 5.6), (256, 0.85e6, 1.3)):
        found = expect(_program((width,) * 4), 6, Method.MARCH)
        assert 0.5 < found.n_vertices / n_faces < 2
        assert 0.5 < found.n_bytes / 2**30 / gigabytes < 2


def test_it_grows_with_the_network() -> None:
    small, large = (expect(_program((width,) * 2), 6, Method.SUBDIVIDE) for width in (8, 32))
    assert small.n_bytes < large.n_bytes


def test_what_is_kept_is_no_more_than_expected() -> None:
    network = creased.MLP(3, 24, 3).double()
    program = creased.lower(network).detach()
    level = float(program.outputs_at(torch.rand(500, 3).double() * 2 - 1).median())
    found = creased.extract_level_set(program, creased.Box.cube(3, 1.0), level)
    sizes: list[int] = []
    map_tensors(found, lambda t: (sizes.append(t.numel() * t.element_size()), t)[1])
    assert 0 < sum(sizes) <= expect(program, 6, Method.MARCH).n_bytes


def test_words_name_the_method_and_what_is_allowed() -> None:
    asked = options_of("test", {"method": "auto", "memory": 2**31})
    said = format_expected(_program((96,) * 4), creased.Box.cube(3, 1), asked)
    assert re.match(r"expects about 1\d\d MB for about 147,456 faces", said)
    assert said.endswith("to walk; 2 GB are allowed")
    assert "147,456 faces, as fitted networks of 384 neurons have" in said
    said = format_expected(_program((8,), dim=2), creased.Box.cube(2, 1), asked)
    assert "for about 8 edges" in said
    assert "to cut" in said
