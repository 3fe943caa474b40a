"""The kernels of `creased.meshes.queries`, in warp's own language; imported only when they are run."""

# warp reads these annotations at run time, so they must not be postponed to strings.
import warp as wp

FAR = wp.constant(1.0e6)  # beyond any mesh in a normalised domain


@wp.kernel
def signed_distance(mesh: wp.uint64, points: wp.array(dtype=wp.vec3), distance: wp.array(dtype=wp.float32)):
    """Compute the distance to the closest point, with the sign of the winding number."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[i], FAR)
    closest = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
    distance[i] = query.sign * wp.length(points[i] - closest)


@wp.kernel
def nearest(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=wp.float32),
    triangle: wp.array(dtype=wp.int32),
):
    """Find the closest triangle, and its distance."""
    i = wp.tid()
    query = wp.mesh_query_point_no_sign(mesh, points[i], FAR)
    closest = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
    distance[i] = wp.length(points[i] - closest)
    triangle[i] = query.face


@wp.kernel
def cast(
    mesh: wp.uint64,
    origins: wp.array(dtype=wp.vec3),
    directions: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=wp.float32),
    triangle: wp.array(dtype=wp.int32),
    barycentric: wp.array(dtype=wp.vec3),
):
    """Find the first hit of a ray: distance, triangle, and barycentric coordinates."""
    i = wp.tid()
    query = wp.mesh_query_ray(mesh, origins[i], directions[i], FAR)
    distance[i] = wp.float32(wp.inf)
    triangle[i] = -1
    if query.result:
        distance[i] = query.t
        triangle[i] = query.face
        barycentric[i] = wp.vec3(query.u, query.v, 1.0 - query.u - query.v)
