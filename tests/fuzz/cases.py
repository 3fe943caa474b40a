"""What the fuzz test draws: any architecture, weights of any genericity, any domain; and its text as code."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import NamedTuple

import torch
from hypothesis import assume
from hypothesis import strategies as st
from torch import Tensor, nn

from creased import MLP, Affine, Box, Domain, Polytope, Program, Simplex, WholeSpace, lower, slice_program
from creased.core.program import combine
from creased.networks import GroupSort, Maxout, ResidualMLP, SkipMLP
from tests.networks.graphs import graphs

MOST_NEURONS = {1: 20, 2: 16, 3: 10}  # by dimension
ARCHITECTURES = ["plain", "plain", "leaky", "skip", "residual", "maxout", "group sort", "layers", "graph"]
SLOPES = [0.01, 0.1, 0.25, 0.999999]
WEIGHTS = ["float", "ternary", "sixteenths", "zero biases", "spoiled"]
OUTPUTS = ["one", "one", "one", "two", "largest", "difference"]
DOMAINS = ["box", "box", "shifted box", "polytope", "simplex", "whole space"]
MEMORY = [4000, 8000, 16000, 10**5]  # bytes: from too little to enough


class FuzzCase(NamedTuple):
    """A network, where to look at it, and how."""

    program: Program
    domain: Domain
    level: float
    exact: bool
    zero_sign: int
    output: int = 0  # whose level sets are looked at
    n_parts: int = 2  # sub-boxes
    memory: int = 8000  # bytes


@st.composite
def fuzz_cases(draw: st.DrawFn) -> FuzzCase:
    """Every combination that is worth a look, the degenerate ones most."""
    dim = draw(st.sampled_from([1, 2, 2, 3]))
    n_inputs = draw(st.sampled_from([dim, dim, dim, dim + 2]))
    seed = draw(st.integers(0, 2**32 - 1))
    torch.manual_seed(seed)
    module = _module(draw, n_inputs, draw(st.sampled_from(ARCHITECTURES)))
    _weigh(module, draw(st.sampled_from(WEIGHTS)))
    program = lower(module.double().eval(), input_shape=(n_inputs,), check=False).detach()
    program, output = _with_outputs(program, draw(st.sampled_from(OUTPUTS)))
    assume(program.n_neurons <= MOST_NEURONS[dim])
    if n_inputs > dim:
        basis = torch.randint(-2, 3, (n_inputs, dim)).double()
        basis[:dim] += 4 * torch.eye(dim)  # independent columns
        assume(int(torch.linalg.matrix_rank(basis)) == dim)
        program = slice_program(program, torch.randint(-2, 3, (n_inputs,)) / 2, basis / 4).program
    domain = _domain(draw, dim, draw(st.sampled_from(DOMAINS)))
    values = program(torch.randn(64, dim, dtype=torch.float64))
    level = draw(st.sampled_from([0.0, 0.0, 0.5, round(float(values.median()), 3)]))
    asked = draw(st.booleans()), draw(st.sampled_from([1, 1, -1])), output
    return FuzzCase(program, domain, level, *asked, draw(st.integers(2, 8)), draw(st.sampled_from(MEMORY)))


def _with_outputs(program: Program, kind: str) -> tuple[Program, int]:
    """With a second output of small integers, or with one made of two; and which one to look at."""
    if kind == "one":
        return program, 0
    weight, bias = program.head.weight, program.head.bias
    rows = torch.randint(-1, 2, weight.shape).to(weight)
    two = replace(program, head=Affine(torch.cat([weight, rows]), torch.cat([bias, bias / 2])))
    if kind == "two":
        return two, 1
    return (combine.largest(two) if kind == "largest" else combine.difference(two, 0, 1)), 0


def _module(draw: st.DrawFn, dim: int, kind: str) -> nn.Module:
    width, depth = draw(st.integers(2, 6)), draw(st.integers(1, 3))
    if kind == "graph":
        return draw(graphs(dim=dim, n_nodes=6, widest=3))
    if kind == "leaky":
        slope = draw(st.sampled_from(SLOPES))
        return MLP(dim, width, depth, activation=lambda: nn.LeakyReLU(slope))
    if kind == "layers":
        kinds = [lambda: nn.PReLU(init=0.3), lambda: nn.Hardtanh(-0.3, 0.7), lambda: _normalised(width)]
        make = draw(st.sampled_from(kinds))
        return nn.Sequential(nn.Linear(dim, width), make(), nn.Linear(width, 2), nn.ReLU(), nn.Linear(2, 1))
    if kind == "skip":
        return SkipMLP(dim, width, depth + 1)
    if kind == "residual":
        return ResidualMLP(dim, width, depth)
    if kind == "maxout":
        return nn.Sequential(Maxout(dim, 3, 2), Maxout(3, 2, draw(st.sampled_from([2, 3]))), nn.Linear(2, 1))
    if kind == "group sort":
        return nn.Sequential(nn.Linear(dim, 4), GroupSort(2), nn.Linear(4, 2), GroupSort(2), nn.Linear(2, 1))
    return MLP(dim, width, depth)


def _normalised(width: int) -> nn.Module:
    norm = nn.BatchNorm1d(width)
    norm.running_mean.copy_(torch.randint(-1, 2, (width,)))
    norm.running_var.fill_(1 + float(torch.rand(())))
    return nn.Sequential(norm, nn.LeakyReLU(0.1))


@torch.no_grad()
def _weigh(module: nn.Module, kind: str) -> None:
    """Make the linear layers as degenerate as asked for."""
    for layer in module.modules():
        if not isinstance(layer, nn.Linear) or hasattr(layer, "parametrizations"):
            continue
        parameters = list(layer.parameters())
        for parameter in parameters:
            if kind == "ternary":
                parameter.copy_(torch.randint(-1, 2, parameter.shape))
            elif kind == "sixteenths":
                parameter.copy_((16 * parameter).round() / 16)
        if layer.bias is not None and kind != "ternary":
            layer.bias.uniform_(-0.5, 0.5) if kind == "float" else None
            layer.bias.zero_() if kind == "zero biases" else None
        if kind == "spoiled" and layer.weight.shape[0] > 2:
            factors = torch.tensor([1.0, -1.0, 2.0, 0.0])[torch.randint(4, (2,))]
            for index, factor in enumerate(factors.tolist(), start=1):  # parallel, opposite, dead
                for parameter in parameters:
                    parameter[index] = factor * parameter[0]
            if layer.bias is not None and bool(torch.rand(()) < 0.5):
                layer.bias[1] += 0.25


def _domain(draw: st.DrawFn, dim: int, kind: str) -> Domain:
    if kind == "whole space":
        return WholeSpace(dim)
    if kind == "simplex":
        points = torch.cat([torch.full((1, dim), -1.0), 3 * torch.eye(dim) - 1]).double()
        return Simplex(points + draw(st.sampled_from([0.0, 0.1])) * torch.randn(dim + 1, dim).double())
    if kind == "polytope":
        eye = torch.eye(dim, dtype=torch.float64)
        extra = torch.randint(-2, 3, (draw(st.integers(0, 4)), dim)).double()
        offsets = [1.0] * (2 * dim) + [draw(st.sampled_from([0.5, 1.0, 2.0])) for _ in extra]
        return Polytope(torch.cat([eye, -eye, extra]), offsets)
    if kind == "shifted box":
        return Box([-0.7] * dim, [1.3] * dim)
    return Box.cube(dim, draw(st.sampled_from([0.5, 1.0, 4.0])))


def as_code(case: FuzzCase) -> str:
    """A test to paste into tests/regressions/; floats are written so that they are read as the same."""
    names = "Affine, Block, Box, Polytope, Program, Simplex, WholeSpace"
    lines = [
        "import torch",
        "",
        f"from creased import {names}  # noqa: F401",
        "from tests.fuzz.cases import FuzzCase",
        "from tests.fuzz.properties import check",
        "",
        "",
        "def test_what_the_fuzz_test_found() -> None:",
        "    def t(*rows):",
        "        return torch.tensor(rows, dtype=torch.float64)",
        "",
    ]
    arguments = ", ".join(f"{name}={_code(value)}" for name, value in case._asdict().items())
    return "\n".join([*lines, f"    check(FuzzCase({arguments}))"])


def _code(value: object) -> str:
    if isinstance(value, Tensor):
        shape = "" if value.numel() else f".reshape({tuple(value.shape)})"
        return f"t({', '.join(map(repr, value.tolist()))}){shape}"
    if is_dataclass(value):
        inner = (f"{field.name}={_code(getattr(value, field.name))}" for field in fields(value) if field.init)
        made = f"{type(value).__name__}({', '.join(inner)})"
        unfolded = getattr(value, "unfolded", None)
        return made if unfolded is None else f"{made}.with_unfolded({_code(unfolded)})"
    if isinstance(value, tuple):
        return f"({''.join(_code(item) + ', ' for item in value)})"
    return repr(value)
