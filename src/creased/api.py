"""Public entry points that take a program, or any module that `lower` understands."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, Concatenate, ParamSpec, TypeVar, Unpack, cast

import torch
from torch import nn

from creased import regions
from creased.core import extract_complex as complexes
from creased.core import extract_level_set as level_sets
from creased.core.certificates import certify as certificates
from creased.core.certificates.certify import Certificate
from creased.core.complexes.complex import PolyhedralComplex
from creased.core.complexes.level_set import LevelSet
from creased.core.domains import essential as domains
from creased.core.domains.domain import Domain
from creased.core.numerics.tensors import Points
from creased.core.program import affine_slice
from creased.core.program.program import Program
from creased.decomposition import ConvexParts, Tetrahedra
from creased.decomposition import convex_parts as parts
from creased.decomposition import tetrahedra as simplices
from creased.decomposition.convex_parts import PartsKeywords
from creased.networks.as_program import Network, as_program, of_networks
from creased.networks.lower import lower_with_last
from creased.networks.lowering.graph.evaluation import weight_options
from creased.regions import Integrals, Lipschitz, RegionGraph
from creased.topology import betti, diagrams
from creased.topology.problem import TopologyKeywords

Options = ParamSpec("Options")
Found = TypeVar("Found")
L = TypeVar("L", float, float | None)


def at_level(network: Network, level: L, output: int = 0) -> tuple[Program, L]:
    """Lower a module in double precision, in which nothing of it is lost; return a program as it is.

    A level of the module is mapped to that before its last activation.

    Raises:
        ValueError: the module does not take the level.
    """
    if not isinstance(network, nn.Module):
        return as_program(network, "network"), level
    with torch.no_grad():
        program, last = lower_with_last(network, dtype=torch.float64)
    if last is None or level is None:
        return program, level
    return program, last.before(level, output)


def _of_networks(
    of_programs: Callable[Concatenate[Program, Options], Found],
) -> Callable[Concatenate[Network, Options], Found]:
    """Extend a function of programs to modules; levels are the module's."""

    @wraps(of_programs)
    def of_networks(network: Network, /, *args: Options.args, **kwargs: Options.kwargs) -> Found:
        """Lower a module first, in the precision of its weights unless another is given."""
        if not isinstance(network, nn.Module):
            return of_programs(as_program(network, of_programs.__name__), *args, **kwargs)
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = weight_options(network)["dtype"]
        bound = signature(of_programs).bind(network, *args, **kwargs)
        bound.apply_defaults()
        output = cast("int", kwargs.get("output", 0))
        program, level = at_level(network, bound.arguments["level"], output)
        bound.arguments |= {"program": program, "level": level}
        return of_programs(*bound.args, **bound.kwargs)

    return of_networks


def certify(
    found: PolyhedralComplex | LevelSet, network: Network, level: float = 0.0, **options: Any
) -> Certificate:
    """Certify what was extracted from a network; see `creased.core.certificates.certify.certify`."""
    program, before = at_level(network, None if isinstance(found, LevelSet) else level)
    return certificates.certify(found, program, before or 0.0, **options)


def betti_numbers(
    network: Network,
    domain: Domain | None = None,
    level: float = 0.0,
    side: str = "below",
    **keywords: Unpack[TopologyKeywords],
) -> tuple[int, ...]:
    """Compute Betti numbers of a network; see `creased.topology.betti.betti_numbers`."""
    program, before = at_level(network, level, keywords.get("output", 0))
    return betti.betti_numbers(program, domain, before, side, **keywords)


def persistence(
    network: Network, domain: Domain | None = None, **keywords: Unpack[TopologyKeywords]
) -> diagrams.PersistenceDiagram:
    """Compute the persistence of a network before its last activation; see `creased.topology.persistence`."""
    return diagrams.persistence(at_level(network, None)[0], domain, **keywords)


def region_graph(
    network: Network, domain: Domain | None = None, *, level: float | None = None, **options: Any
) -> RegionGraph:
    """Extract the dual graph of a network's complex; see `creased.regions.region_graph.region_graph`."""
    program, before = at_level(network, level, options.get("output") or 0)
    return regions.region_graph(program, domain, level=before, **options)


def integrate(
    network: Network, domain: Domain | None = None, level: float = 0.0, **options: Any
) -> Integrals:
    """Integrate a network over a bounded domain; see `creased.regions.integrals.integrate`."""
    return regions.integrate(as_program(network, "integrate"), domain, level, **options)


def lipschitz(network: Network, domain: Domain | None = None, **options: Any) -> Lipschitz:
    """Compute a network's Lipschitz constant; see `creased.regions.lipschitz.lipschitz`."""
    return regions.lipschitz(as_program(network, "lipschitz"), domain, **options)


def local_lipschitz(network: Network, point: Points, radius: float, **options: Any) -> Lipschitz:
    """Compute a network's Lipschitz constant on a ball; see `creased.regions.lipschitz.local_lipschitz`."""
    return regions.local_lipschitz(as_program(network, "local_lipschitz"), point, radius, **options)


def convex_parts(
    network: Network,
    domain: Domain | None = None,
    level: float = 0.0,
    error: float = 0.0,
    **keywords: Unpack[PartsKeywords],
) -> ConvexParts:
    """Divide {f < level} into few convex parts; see `creased.decomposition.convex_parts`."""
    program, before = at_level(network, level, keywords.get("output", 0))
    return parts(program, domain, before, error, **keywords)


def tetrahedra(
    network: Network,
    domain: Domain | None = None,
    level: float = 0.0,
    **keywords: Unpack[PartsKeywords],
) -> Tetrahedra:
    """Mesh {f < level} by conforming simplices; see `creased.decomposition.tetrahedra`."""
    program, before = at_level(network, level, keywords.get("output", 0))
    return simplices(program, domain, before, **keywords)


essential = of_networks(domains.essential)
slice_program = of_networks(affine_slice.slice_program)
slice_through = of_networks(affine_slice.slice_through)
count_cells = _of_networks(complexes.count_cells)
extract_complex = _of_networks(complexes.extract_complex)
extract_level_set = _of_networks(level_sets.extract_level_set)
stream_complex = _of_networks(complexes.stream_complex)
