"""Compare complexes, level sets, certificates and gradients on a device with those of the CPU."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

import creased
from creased import Box, LevelSet, PolyhedralComplex
from creased.geometry.regularizers import areas, curvatures, faces
from scripts.accelerator.bench import Bench

Found = PolyhedralComplex | LevelSet
NEAR = 1e-9  # of positions, in units of the domain
CLOSE = 1e-5  # of gradients, relative: sums over vertices that are near to degenerate
LEAST = 1e-6  # gradients below are rounding: of the volume of an open surface, say
CELLS_A_UNIT = 1 << 24  # in which vertices of different simplices are told apart
METHODS: dict[str, dict[str, Any]] = {
    "subdivide": {"method": "subdivide"},
    "unpruned": {"method": "subdivide", "prune": False},
    "march": {"method": "march"},
    "complete": {"method": "march", "complete": True},
    "exact": {"method": "subdivide", "exact": True},
    "contract": {"degeneracy": "contract"},
}
TERMS = (
    areas.Area,
    areas.Volume,
    areas.Compactness,
    curvatures.Bending,
    curvatures.Convexity,
    curvatures.GaussianCurvature,
    curvatures.MeanCurvature,
    faces.EdgeLength,
    faces.FaceCount,
    faces.Planarity,
    faces.Slivers,
)


def networks() -> Iterator[tuple[str, nn.Module]]:
    """Small networks in double precision on the CPU, with zero in the middle of their range."""
    makers: dict[str, Callable[[], nn.Module]] = {
        "2,2x16": lambda: creased.MLP(2, 16, 2),
        "2,4x8": lambda: creased.MLP(2, 8, 4),
        "3,2x12": lambda: creased.MLP(3, 12, 2),
        "3,3x8": lambda: creased.MLP(3, 8, 3),
        "2 grid": lambda: _rough(creased.GridMLP(2, (2, 4), 2, 8)),
        "3 grid": lambda: _rough(creased.GridMLP(3, (1, 2), 2, 6)),
    }
    for seed, (name, make) in enumerate(makers.items()):
        torch.manual_seed(seed)
        network = make().double()
        with torch.no_grad():
            values = network(torch.rand(512, int(name[0]), dtype=torch.float64) - 0.5)
            list(network.parameters())[-1].sub_(values.median())
        yield name, network


def _rough(network: creased.GridMLP) -> creased.GridMLP:
    for table in network.grid.tables:
        nn.init.normal_(table)
    return network


def cells(found: Found) -> dict[str, Any]:
    """Collect what has to be the same, in an order that does not depend on how it was found."""
    found = found.to("cpu")
    codes = torch.cat([found.words, found.zero_ids.long()], dim=1)
    if found.layout.on_grid:  # the last word is any simplex that has the vertex: tell its place
        where = (found.vertices.double() * CELLS_A_UNIT).round().long()
        codes = torch.cat([found.words[:, :-1], found.zero_ids.long(), where], dim=1)
    order, rank = torch.unique(codes, dim=0, return_inverse=True)
    ends = rank[found.edges.long()].sort(dim=1).values.unique(dim=0)
    parts: dict[str, Any] = {"vertices": order, "edges": ends}
    places = torch.zeros(len(order), found.dim, dtype=torch.float64)
    parts["positions"] = places.index_put((rank,), found.vertices.double())
    if isinstance(found, PolyhedralComplex):
        parts["signs"] = found.sign_vectors().unique(dim=0)
        parts["f-vector"] = found.f_vector()
    else:
        offsets, corners = found.polygons.offsets.tolist(), rank[found.polygons.indices].tolist()
        rings = (corners[i:j] for i, j in pairwise(offsets))
        parts["polygons"] = sorted(tuple(r[(k := r.index(min(r))) :] + r[:k]) for r in rings)
        parts["regions"] = found.polygon_words.unique(dim=0)
        audit = found.audit()
        parts["audit"] = audit.euler_characteristic, audit.n_components, found.n_inconsistent
        parts["provenance"] = found.guarantee
    return parts


def differences(one: Found, other: Found) -> list[str]:
    """Names of what is not the same."""
    first, second = cells(one), cells(other)
    return [name for name, part in first.items() if not _is_same(name, part, second[name])]


def _is_same(name: str, one: Any, other: Any) -> bool:
    if not isinstance(one, Tensor):
        return bool(one == other)
    if one.shape != other.shape:
        return False
    return bool((one - other).abs().max() < NEAR) if name == "positions" and len(one) else one.equal(other)


def _sizes(found: Found) -> str:
    if isinstance(found, PolyhedralComplex):
        return f"f-vector {found.f_vector()}"
    return f"{found.vertices.shape[0]:,} vertices, {found.edges.shape[0]:,} edges, {found.polygons.n:,} faces"


def _compare(
    bench: Bench, name: str, extract: Callable[[nn.Module], Found], network: nn.Module
) -> Found | None:
    """Extract on both devices; return what the device found."""
    there, seconds = None, None
    try:
        here = extract(network.cpu())
        seconds, there = bench.seconds(lambda: extract(network.to(bench.device)))
        wrong = differences(here, there)
        if there.vertices.device.type != bench.device.type:
            wrong.append(f"it is on {there.vertices.device}")
    except Exception as error:  # the others are compared all the same
        wrong = [f"{type(error).__name__}: {str(error)[:160]}"]
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        if where:
            wrong.append(f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}")
    text = "; ".join(wrong) if wrong else f"as on the CPU: {_sizes(there)}" if there else ""
    bench.check(name, not wrong, text, seconds)
    return there


def compare_complexes(bench: Bench) -> None:
    """Complexes as on the CPU, perturbed, contracted and exact; with certificates."""
    for name, network in networks():
        box = Box.cube(int(name[0]), 0.5)
        for how, options in (("", {}), (" exact", METHODS["exact"]), (" contract", METHODS["contract"])):
            keywords = {key: value for key, value in options.items() if key != "method"}
            _compare(
                bench,
                f"complex {name}{how}",
                lambda net: creased.extract_complex(net, box, **keywords),  # noqa: B023
                network,
            )
        plain = creased.extract_complex(network.to(bench.device), box)
        _certify(bench, f"complex {name}", plain, network)


def compare_level_sets(bench: Bench) -> None:
    """Level sets as on the CPU by each method, with certificates."""
    for name, network in networks():
        box = Box.cube(int(name[0]), 0.5)
        for how, options in METHODS.items():
            if "grid" in name and options.get("method") == "march":
                continue
            found = _compare(
                bench,
                f"level set {name} {how}",
                lambda net: creased.extract_level_set(net, box, **options),  # noqa: B023
                network,
            )
            if isinstance(found, LevelSet) and how in ("subdivide", "march"):
                _certify(bench, f"level set {name} {how}", found, network)


def _certify(bench: Bench, name: str, found: Found, network: nn.Module) -> None:
    try:
        certificate = creased.certify(found, network.to(bench.device))
    except ValueError as refused:
        bench.check(f"certificate of {name}", "grid" in name, f"refused: {str(refused)[:80]}")
    else:
        bench.check(f"certificate of {name}", certificate.is_certified, str(certificate))


def compare_gradients(bench: Bench) -> None:
    """Gradients of implicit vertices and of all regularizers in the weights as on the CPU."""
    for name, network in networks():
        here, there = _Surface(network.cpu()), _Surface(copy.deepcopy(network).to(bench.device))
        for term in [None, *(TERMS if name[0] == "3" else (faces.EdgeLength,))]:
            label = f"gradient {name} {term.__name__ if term else 'implicit vertices'}"
            try:
                expected, found = here.gradient(term), there.gradient(term).cpu()
            except Exception as error:  # the others are compared all the same
                bench.check(label, False, f"{type(error).__name__}: {str(error)[:160]}")
                continue
            off = float((expected - found).norm() / expected.norm().clamp(min=LEAST))
            bench.check(label, off < CLOSE, f"relative difference {off:.1e}")


class _Surface:
    """The level set of a network on its device."""

    def __init__(self, network: nn.Module) -> None:
        self._network, self._program = network, creased.lower(network)
        self._found = creased.extract_level_set(network, Box.cube(self._program.in_dim, 0.5))

    def gradient(self, term: type[creased.geometry.Regularizer] | None) -> Tensor:
        """The gradient of a measure, or of squared vertices, in all weights, as one vector."""
        if term is None:
            value = creased.geometry.implicit_vertices(self._found, self._program).square().sum()
        else:
            value = term(n_samples=None)(self._found, self._program)
        parameters = list(self._network.parameters())
        found = torch.autograd.grad(value, parameters, allow_unused=True, retain_graph=True)
        pairs = zip(parameters, found, strict=True)
        return torch.cat([(torch.zeros_like(p) if g is None else g).flatten() for p, g in pairs])
