"""A network with little to see, and its surface."""

import torch

from creased import Box, LevelSet, Program, extract_level_set, lower
from creased.viewer.scene import level_set_scene
from creased.viewer.sources import Field, Shot

CUBE = Box.cube(3, 1.0)


def tiny_program(n_inputs: int = 3, seed: int = 3) -> Program:
    torch.manual_seed(seed)
    width, linear = 10, torch.nn.Linear
    relu = torch.nn.ReLU()
    net = torch.nn.Sequential(linear(n_inputs, width), relu, linear(width, width), relu, linear(width, 1))
    return lower(net.double()).detach()


def tiny_surface(program: Program) -> tuple[LevelSet, float]:
    box = Box.cube(program.in_dim, 1.0)
    level = float(program(torch.zeros((1, program.in_dim), dtype=torch.float64)))
    return extract_level_set(program, box, level), level


def tiny_shot(seed: int = 3, epoch: int | None = None) -> Shot:
    program = tiny_program(seed=seed)
    surface, level = tiny_surface(program)
    return Shot(f"net {seed}", lambda: (level_set_scene(surface), Field(program, CUBE, level)), epoch)
