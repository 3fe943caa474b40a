"""Draw the effect of mean curvature in the loss on a noisy scan, beside smoothing of a plain run's mesh.

    ./run python -m scripts.pictures.smoothing --out docs/pictures/smoothing.png --json smoothing.json

The bunny scan gets bumps: noise of its vertices along the normals, smoothed a little so that a network can
see it. Networks are trained on the bumpy scan and compared with the clean one. Mesh processing instead:
quadric decimation of the plain mesh to as many triangles, and Taubin smoothing of it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import trimesh

from creased.io.checkpoint import read_record
from creased.meshes.polygon_mesh import PolygonMesh
from creased.render.camera import View
from creased.render.images import contact_sheet
from creased.render.render import render_surface
from scripts.common.networks import bunny
from scripts.common.numbers import as_table, write_numbers
from scripts.common.options import make_parser
from scripts.runs.trials import Trial, compare, decimated, train_all

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = (
    "model=mlp",
    "model.width=48",
    "optimizer.lr=0.008",
    "trainer.max_epochs=3",
    "shape.up=z",
    "shape.azimuth=-105",
)
ROUNDS = 6  # of averaging that the noise goes through
SIZE = 0.006  # of the noise along normals, standard deviation in units of the domain
WEIGHTS = (0.03, 0.1, 0.3)
TAUBIN = 40  # iterations


def main() -> None:
    """Make bumps, train, smooth, compare, draw."""
    parser = make_parser(__doc__, "docs/pictures/smoothing.png", numbers=True)
    parser.add_argument("--at-once", type=int, default=2, help="runs at a time")
    parser.add_argument("--runs", type=Path, default=Path("logs/smoothing"), help="where runs are kept")
    chosen = parser.parse_args()
    runs = chosen.runs.resolve()
    runs.mkdir(parents=True, exist_ok=True)
    scan = _bumpy(bunny().mesh)
    scan.export(runs / "bumpy.ply")
    common = [f"shape.path={runs / 'bumpy.ply'}", *MODEL]
    jobs = [(runs / "plain", common)]
    for weight in WEIGHTS:
        regularized = ["experiment=smooth", f"regularizer.mean_curvature.weight={weight}"]
        jobs.append((runs / f"smooth_{weight}", [*common, *regularized]))
    plain, *smooth = train_all(jobs, chosen.at_once)
    meshes = {"bumpy scan": scan, "plain run": _in_scan(plain)}
    meshes |= {f"smooth, weight {w}": _in_scan(t) for w, t in zip(WEIGHTS, smooth, strict=True)}
    fewest = min(len(mesh.faces) for mesh in meshes.values())
    meshes["plain run, decimated"] = decimated(meshes["plain run"], fewest)
    meshes[f"plain run, {TAUBIN} steps of Taubin smoothing"] = _taubin(meshes["plain run"])
    results = {name: _judge(mesh) for name, mesh in meshes.items()}
    print(as_table(["mesh", *next(iter(results.values()))], _rows(results)))
    write_numbers(chosen.json, results=results)
    pictures = [(name, _picture(mesh)) for name, mesh in {"clean scan": bunny().mesh, **meshes}.items()]
    contact_sheet(pictures, chosen.out, columns=4)


def _bumpy(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    """Add smoothed noise along the normals of a mesh."""
    noise = np.random.default_rng(0).standard_normal(len(mesh.vertices))
    edges = mesh.edges_unique
    n_neighbours = np.bincount(edges.ravel(), minlength=len(noise))
    for _ in range(ROUNDS):
        sums = np.bincount(edges.ravel(), noise[edges[:, ::-1]].ravel(), len(noise))
        noise = (noise + sums) / (1 + n_neighbours)
    bumps = (SIZE / noise.std() * noise)[:, None] * mesh.vertex_normals
    return trimesh.Trimesh(mesh.vertices + bumps, mesh.faces, process=False)


def _in_scan(trial: Trial) -> trimesh.Trimesh:
    """Bring the exact mesh of a run into the coordinates of the scan."""
    mesh = trial.mesh()
    to_domain = read_record(trial.folder / "checkpoints" / "last.ckpt").to_domain
    return trimesh.Trimesh(to_domain.invert(mesh.vertices), mesh.faces, process=False)


def _taubin(mesh: trimesh.Trimesh) -> trimesh.Trimesh:
    from trimesh.smoothing import filter_taubin

    welded = mesh.copy()
    welded.merge_vertices()
    return filter_taubin(welded, iterations=TAUBIN)


def _judge(mesh: trimesh.Trimesh) -> dict[str, float]:
    """Count triangles and measure distances from the clean scan."""
    distances = compare(bunny(), mesh)
    return {
        "triangles": len(mesh.faces),
        "Chamfer to the clean scan": distances.chamfer,
        "normal consistency": distances.normal_consistency,
    }


def _rows(results: dict[str, dict[str, Any]]) -> list[list[str]]:
    forms = (",", ".2e", ".4f")
    return [
        [name, *(f"{value:{form}}" for value, form in zip(row.values(), forms, strict=True))]
        for name, row in results.items()
    ]


def _picture(mesh: trimesh.Trimesh) -> NDArray[np.uint8]:
    """Render the mesh without lines."""
    view = View(-105, up="z", zoom=1.3)
    return render_surface(
        PolygonMesh.of_triangles(mesh.vertices, mesh.faces), size=520, view=view, line_width=0
    )


if __name__ == "__main__":
    main()
