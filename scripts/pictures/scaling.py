"""Draw the cost of a face of the exact level set, from thousands of faces to hundreds of thousands.

    ./run python -m scripts.pictures.scaling --out docs/pictures/scaling.png --json scaling.json

Two families of networks, fitted to one shape: 32 neurons a layer and ever more layers, three layers and ever
more neurons. Beside the seconds a face stands the cost of evaluating the network once at every vertex of a
128^3 grid, as marching cubes does, so that what the larger network itself costs can be told apart.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.benchmarks.systems import Found, measure
from scripts.common.figures import pyplot
from scripts.common.networks import fit
from scripts.common.numbers import write_numbers
from scripts.common.options import make_parser

SYSTEMS = ("level_set", "march", "marching128")
DEEPER = ((3, 16), (3, 32), (5, 32), (8, 32), (12, 32))
WIDER = ((3, 16), (3, 32), (3, 64), (3, 128))


def main() -> None:
    """Fit, measure, draw."""
    chosen = make_parser(__doc__, "docs/pictures/scaling.png", numbers=True).parse_args()
    with TemporaryDirectory() as folder:
        found = {net: _measure(Path(folder) / "net.npz", *net) for net in dict.fromkeys((*DEEPER, *WIDER))}
    write_numbers(chosen.json, results={f"{depth}x{width}": one for (depth, width), one in found.items()})
    _draw(found, chosen.out)


def _measure(path: Path, depth: int, width: int) -> dict[str, Found]:
    fit(path, depth, width)
    found = {system: measure(system, path) for system in SYSTEMS}
    surface, n_faces = found["level_set"], found["level_set"]["faces"]
    print(
        f"{depth}x{width}: {n_faces:,.0f} faces, {1e6 * surface['seconds'] / n_faces:.0f} us a face, "
        f"{surface['megabytes']:.0f} MB; marched {1e6 * found['march']['seconds'] / n_faces:.0f} us a face; "
        f"marching cubes 128^3 {found['marching128']['seconds']:.2f} s",
        flush=True,
    )
    return found


def _draw(found: dict[tuple[int, int], dict[str, Found]], out: Path) -> None:
    plt = pyplot()
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained", sharex=True)
    for family, label, colour in (
        (DEEPER, "32 neurons a layer", "tab:blue"),
        (WIDER, "three layers", "tab:orange"),
    ):
        faces = [found[net]["level_set"]["faces"] for net in family]
        for system, style in (("level_set", "o-"), ("march", "^--"), ("marching128", "s:")):
            seconds = [found[net][system]["seconds"] for net in family]
            axes[1].plot(faces, seconds, style, color=colour, label=label if style == "o-" else None)
            if system != "marching128":
                cost = [1e6 * second / face for second, face in zip(seconds, faces, strict=True)]
                axes[0].plot(faces, cost, style, color=colour)
        above = family is DEEPER
        for (depth, width), x in zip(family, faces, strict=True):
            if above or (depth, width) not in DEEPER:
                y = 1e6 * found[depth, width]["level_set"]["seconds"] / x
                place = {"xytext": (-6, 6) if above else (6, -8), "ha": "right" if above else "left"}
                axes[0].annotate(f"{depth}x{width}", (x, y), textcoords="offset points", fontsize=8, **place)
    axes[0].margins(x=0.22, y=0.14)
    axes[1].plot([], [], "o-", color="grey", label="subdivided")
    axes[1].plot([], [], "^--", color="grey", label="marched")
    axes[1].plot([], [], "s:", color="grey", label="marching cubes 128^3")
    axes[0].set(xscale="log", yscale="log", xlabel="faces", ylabel="CPU microseconds", title="a face")
    axes[1].set(xscale="log", yscale="log", xlabel="faces", ylabel="CPU seconds", title="the level set")
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(out, dpi=110)


if __name__ == "__main__":
    main()
