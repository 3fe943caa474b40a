"""Extract a shape from a DeepSDF decoder of the published size: 8x512, skip, weight norm, latent, tanh.

    ./run python -m scripts.benchmarks.deepsdf --weights fit.pt --picture torus.png     fits, cuts out a box
    ./run python -m scripts.benchmarks.deepsdf --weights fit.pt --box 0 0 -1 1 1 1      a quarter of the torus
    ./run python -m scripts.benchmarks.deepsdf --weights fit.pt --stream torus.ply --memory 2    all of it

The decoder (Park et al. 2019) is fitted to a torus, a ball and a box, each with a latent vector of 256
numbers, which is then fixed: the slice is a network of three coordinates. It starts as the distance of a
ball for any latent vector (Atzmon and Lipman 2020); fits from weights at random may have no surface.
"""

from __future__ import annotations

import math
import resource
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

import creased
from creased.core.memory_estimate import format_expected
from creased.core.options import options_of
from creased.training.losses import ClampedDistance
from scripts.common.options import make_parser

LATENT, WIDTH, DEPTH, SKIP = 256, 512, 8, 4
N_INPUTS = LATENT + 3
SHAPES = ("torus", "ball", "box")
BATCH = 2001  # points a step
TRIED = 3  # points of which the nearest to the surface is taken
SEEN_EVERY = 10  # seconds between two lines of progress


class DeepSDF(nn.Module):
    """Distances (n, 1) at rows (n, 256 + 3) of a latent vector and a point."""

    def __init__(self) -> None:
        super().__init__()
        sizes = [N_INPUTS, *[WIDTH] * DEPTH]
        outs = [size - N_INPUTS * (i == SKIP) for i, size in enumerate(sizes)][1:]
        hidden = [nn.Linear(n, out) for (n, _), out in zip(pairwise(sizes), outs, strict=True)]
        self.last = nn.Linear(WIDTH, 1)
        self._start_as_ball(hidden, radius=0.5)
        self.hidden = nn.ModuleList(map(nn.utils.parametrizations.weight_norm, hidden))

    @torch.no_grad()
    def _start_as_ball(self, hidden: list[nn.Linear], radius: float) -> None:
        for layer in hidden:
            nn.init.normal_(layer.weight, std=math.sqrt(2 / layer.out_features))
            nn.init.zeros_(layer.bias)
        hidden[0].weight[:, :LATENT] = 0
        hidden[SKIP].weight[:, -N_INPUTS:] = 0
        nn.init.normal_(self.last.weight, mean=math.sqrt(math.pi / WIDTH), std=1e-5)
        nn.init.constant_(self.last.bias, -radius)

    def forward(self, x: Tensor) -> Tensor:
        """Compute distances; latent vector and point come again behind the fourth layer."""
        y = x
        for i, layer in enumerate(self.hidden):
            y = torch.relu(layer(torch.cat([y, x], dim=1) if i == SKIP else y))
        return torch.tanh(self.last(y))


def distances(points: Tensor) -> Tensor:
    """Distances (n, 3) to a torus, a ball and a box."""
    tube = torch.stack([points[:, :2].norm(dim=1) - 0.5, points[:, 2]], dim=1).norm(dim=1) - 0.2
    outside = points.abs() - points.new_tensor([0.6, 0.4, 0.3])
    box = outside.clamp(min=0).norm(dim=1) + outside.amax(1).clamp(max=0)
    return torch.stack([tube, points.norm(dim=1) - 0.6, box], dim=1)


def fit(steps: int, size: float) -> tuple[DeepSDF, Tensor]:
    """Fit a decoder and the latent vectors (3, 256), with distances clamped at 0.1 as published.

    The shapes are scaled by ``size``.
    """
    torch.manual_seed(0)
    network, codes = DeepSDF(), nn.Parameter(torch.randn(len(SHAPES), LATENT) / math.sqrt(LATENT))
    optimizer = torch.optim.Adam(
        [{"params": network.parameters(), "lr": 5e-4}, {"params": [codes], "lr": 1e-3}]
    )
    decay = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    loss_of, shape = ClampedDistance(0.1), torch.arange(BATCH) % len(SHAPES)
    for _ in range(steps):
        points = 2 * torch.rand(TRIED * BATCH, 3) - 1
        true = size * distances(points / size).gather(1, shape.repeat(TRIED)[:, None])[:, 0]
        nearest = true.abs().view(TRIED, BATCH).argmin(0) * BATCH + torch.arange(BATCH)
        points, true = points[nearest], true[nearest]
        values = network(torch.cat([codes[shape], points], dim=1))[:, 0]
        loss = loss_of(network, points, values, true)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decay.step()
    print(f"mean error of clamped distances {loss.item():.5f}")
    return network, codes.detach()


def fitted(path: Path | None, steps: int, size: float) -> tuple[DeepSDF, Tensor]:
    """Fit, or read what was fitted."""
    if path and path.exists():
        weights, codes = torch.load(path, weights_only=True)
        network = DeepSDF()
        network.load_state_dict(weights)
        return network, codes
    start = time.process_time()
    network, codes = fit(steps, size)
    print(f"fitted in {time.process_time() - start:.0f} CPU s", flush=True)
    if path:
        torch.save((network.state_dict(), codes), path)
    return network, codes


def slice_at(network: DeepSDF, code: Tensor) -> creased.Program:
    """Fix the latent vector: a network of three coordinates, without the tanh, which keeps zeros."""
    origin = torch.cat([code.double(), torch.zeros(3).double()])
    program = creased.lower(network.double())
    return creased.slice_program(program, origin, torch.eye(N_INPUTS)[:, LATENT:]).program


class Progress:
    """Prints progress, one line now and then."""

    def __init__(self) -> None:
        self._last = time.perf_counter()

    def __call__(self, message: object) -> None:
        """Print it if the last one is some time ago."""
        if time.perf_counter() - self._last > SEEN_EVERY:
            self._last = time.perf_counter()
            print(message, flush=True)


def main() -> None:
    """Fit, extract in a box, and print what it took."""
    parser = make_parser(__doc__)
    parser.add_argument("--steps", type=int, default=600, help="of the fit")
    parser.add_argument("--size", type=float, default=1.0, help="factor of the shapes that are fitted")
    parser.add_argument("--shape", choices=SHAPES, default=SHAPES[0])
    parser.add_argument(
        "--box", type=float, nargs=6, default=[0.5, 0, 0, 0.75, 0.25, 0.25], help="lower, upper corner"
    )
    parser.add_argument("--memory", type=float, default=8.0, help="GB that may be used")
    parser.add_argument("--weights", type=Path, help="where the fit is kept, and read if it is there")
    parser.add_argument(
        "--stream", type=Path, metavar="PLY", help="write the whole shape, sub-box by sub-box"
    )
    parser.add_argument("--picture", type=Path, help="where to write a picture of it")
    chosen = parser.parse_args()
    network, codes = fitted(chosen.weights, chosen.steps, chosen.size)
    sdf = slice_at(network, codes[SHAPES.index(chosen.shape)])
    box, memory = creased.Box(chosen.box[:3], chosen.box[3:]), int(chosen.memory * 2**30)
    print(f"{date.today()}, threads: {torch.get_num_threads()}")
    options = options_of("extract", {"memory": memory, "method": "march"})
    print(f"the whole {chosen.shape}: {format_expected(sdf, creased.Box.cube(3, 1.0), options)}", flush=True)
    start, before = time.perf_counter(), time.process_time()
    if chosen.stream:
        made = creased.stream_level_set(
            sdf, creased.Box.cube(3, 1.0), chosen.stream, memory=memory, progress=Progress()
        )
        print(made, made.provenance, sep="\n")
        report_cost(made.n_faces, time.perf_counter() - start, time.process_time() - before)
        return
    found = creased.extract_level_set(sdf, box, method="march", memory=memory, progress=Progress())
    report(found, time.perf_counter() - start, time.process_time() - before)
    if found.polygons.n:
        off = chosen.size * distances(found.vertices / chosen.size)[:, SHAPES.index(chosen.shape)].abs()
        print(f"vertices are {off.mean():.4f} off the {chosen.shape} on average, {off.max():.4f} at most")
    if chosen.picture:
        draw(found, box, chosen.picture)


def report(found: creased.LevelSet, seconds: float, cpu: float) -> None:
    """Print what was found, and what it took."""
    print(f"{found.polygons.n:,} faces: {found.provenance}")
    report_cost(found.polygons.n, seconds, cpu)
    if found.polygons.n:
        print(f"max abs f {found.audit().max_residual:.0e}")


def report_cost(n_faces: int, seconds: float, cpu: float) -> None:
    """Print what so many faces took."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    each = f", {1e6 * cpu / n_faces:.0f} us a face" if n_faces else ""
    print(f"{seconds:.1f} s, {cpu:.1f} CPU s{each}, {peak:.2f} GB at the peak", flush=True)


def draw(found: creased.LevelSet, box: creased.Box, path: Path) -> None:
    """Write a picture of a level set in its box."""
    from PIL import Image

    from creased.render.render import render_level_set

    Image.fromarray(render_level_set(found, domain=box)).save(path)


if __name__ == "__main__":
    main()
