"""What each command of `creased` does, and examples of it, for ``--help``."""

from __future__ import annotations

SUMMARIES = {
    "extract": "write the exact level set of a network as a mesh",
    "info": "describe the network in a file",
    "count": "count cells, linear regions and affine pieces",
    "topology": "count components, loops and cavities, without a mesh",
    "parts": "write the inside as convex parts, or as tetrahedra",
    "compress": "write an equal network of fewer neurons",
    "eval": "measure a checkpoint against its shape or another",
    "check": "say whether mesh files are solids, and what is wrong with them",
    "compare": "measure distances between two meshes, both ways",
    "view": "show a surface in the browser",
    "draw": "draw the complex of two inputs, or in a plane of three",
}

EXAMPLES = {  # by command; the first example of each is in the overview
    "extract": """
  creased extract logs/train/runs/RUN --out mesh.ply          polygons, double precision, your coordinates
  creased extract last.ckpt --out mesh.glb --complete         prove that nothing is missing
  creased extract last.ckpt --out mesh.3mf --boundary cap --unit inch   closed along the walls, to print
  creased extract last.ckpt --out mesh.stl --offset 1mm       the surface 1 mm further out
  creased extract logs/train/runs/RUN --out mesh.ply --against shape    distances to the training shape
  creased extract quantised.npz --half-width 1 --out mesh.ply --exact --certify   prove every sign
  creased extract weights.npz --half-width 1 --out mesh.stl   weights store no domain: [-1, 1]^3
  creased extract wide.pt --half-width 1 --out mesh.ply --stream --memory 2   more faces than memory holds
  creased extract plan.onnx --half-width 1 --out curve.svg    curves of two inputs: .svg, .dxf, .obj
  creased extract wide.onnx --slice "0,2 at 0,0.3,0,1,0" --half-width 1 --out curve.dxf   of five inputs
""",
    "info": """
  creased info logs/train/runs/RUN                            the last checkpoint of a run
  creased info model.onnx                                     inputs, widths, number of weights
""",
    "count": """
  creased count logs/train/runs/RUN                           cells of its training box, and known bounds
  creased count weights.npz --half-width 1 --method stream    cells alone, of more than memory holds
  creased count weights.npz --whole-space                     in all of space
""",
    "topology": """
  creased topology logs/train/runs/RUN                        Betti numbers of shape, surface and the rest
  creased topology weights.npz --half-width 1 --level 0.1 --json topology.json   with persistence, to a file
""",
    "parts": """
  creased parts weights.npz --half-width 1 --out parts.glb    exact convex parts; .obj, .xml (MuJoCo), .urdf
  creased parts RUN --out body.xml --error 0.5mm              fewer, that stick out by up to 0.5 mm
  creased parts RUN --out inside.vtu                          conforming tetrahedra; .msh
""",
    "compress": """
  creased compress RUN --out small.ckpt                       the same function by fewer neurons, certified
  creased compress RUN --out small.ckpt --delete-only         only delete: no weight is rounded
""",
    "draw": """
  creased draw RUN --across z --at 0.1 --out complex.png      the plane z = 0.1 of three inputs
  creased draw weights.npz --half-width 1 --out complex.svg   a network of two inputs
""",
    "eval": """
  creased eval logs/train/runs/RUN                            function and exact mesh, against the run's shape
  creased eval last --shape scan.obj --json metrics.json      against another mesh; --json - prints JSON
""",
    "check": """
  creased check part.stl scan.ply                             closed, manifold, oriented? walls? exit status
  creased check logs/train/runs/RUN                           the mesh of a run
""",
    "compare": """
  creased compare mesh.ply scan.obj --out error.png           distances both ways, topology, a picture
  creased compare logs/train/runs/RUN part.stl --within 0.1mm   exit status 1 beyond that
  creased compare logs/train/runs/RUN torus                   a shape that needs no file, by its name
""",
    "view": """
  creased view logs/train/runs/RUN                            the epochs of a run, in the browser
  creased view mesh.ply                                       a mesh file
  creased view model.onnx --half-width 1                      the level set of any network
  creased view wide.onnx --slice "0,2,4" --half-width 1       of five inputs, the others zero
""",
}
