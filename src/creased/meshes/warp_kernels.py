"""The kernels of `creased.meshes.queries`, in warp's own language; imported only when they are run."""

# warp reads these annotations at run time, so they must not be postponed to strings.
import warp as wp

FAR = wp.constant(1.0e6)  # beyond any mesh in a normalised domain
CLOSE = wp.constant(0.02)  # where few triangles are as near, and small errors matter
TINY = wp.constant(wp.float64(1.0e-300))


@wp.func
def corners_from(mesh: wp.uint64, triangle: wp.int32, point: wp.vec3):
    """Return the corners of a triangle relative to a point, in float64."""
    origin = wp.vec3d(point)
    a = wp.vec3d(wp.mesh_get_point(mesh, 3 * triangle)) - origin
    b = wp.vec3d(wp.mesh_get_point(mesh, 3 * triangle + 1)) - origin
    c = wp.vec3d(wp.mesh_get_point(mesh, 3 * triangle + 2)) - origin
    return a, b, c


@wp.func
def edge_crossing(start: wp.vec3d, end: wp.vec3d):
    """Return 1 or -1 if an edge, seen along z, crosses the ray from 0 along x; antisymmetric in its ends."""
    zero = wp.float64(0.0)
    crossing = wp.int32(0)
    if (start[1] > zero) != (end[1] > zero):
        is_upward = end[1] > zero
        low, high = wp.where(is_upward, start, end), wp.where(is_upward, end, start)
        if low[0] * high[1] > high[0] * low[1]:
            crossing = wp.where(is_upward, 1, -1)
    return crossing


@wp.kernel
def winding_number(mesh: wp.uint64, points: wp.array(dtype=wp.vec3), winding: wp.array(dtype=wp.int32)):
    """Sum the signed crossings of a ray along z with the surface: the winding number, if it is closed."""
    i = wp.tid()
    point, zero = points[i], wp.float64(0.0)
    query = wp.mesh_query_aabb(mesh, point, wp.vec3(point[0], point[1], FAR))
    triangle, total = wp.int32(0), wp.int32(0)
    while wp.mesh_query_aabb_next(query, triangle):
        a, b, c = corners_from(mesh, triangle, point)
        turns = edge_crossing(a, b) + edge_crossing(b, c) + edge_crossing(c, a)  # around z: -1, 0 or 1
        if turns != 0:
            is_above = wp.min(wp.min(a[2], b[2]), c[2]) > zero
            if is_above or wp.dot(a, wp.cross(b, c)) * wp.float64(turns) > zero:
                total += turns
    winding[i] = total


@wp.kernel
def signed_distance(mesh: wp.uint64, points: wp.array(dtype=wp.vec3), distance: wp.array(dtype=wp.float32)):
    """Compute the distance to the closest point, with the sign of the generalized winding number."""
    i = wp.tid()
    query = wp.mesh_query_point_sign_winding_number(mesh, points[i], FAR)
    closest = wp.mesh_eval_position(mesh, query.face, query.u, query.v)
    distance[i] = query.sign * wp.length(points[i] - closest)


@wp.func
def squared_distance_to_segment(start: wp.vec3d, end: wp.vec3d):
    """Compute the squared distance of 0 from a segment."""
    along = end - start
    length = wp.max(wp.dot(along, along), TINY)
    at = wp.clamp(-wp.dot(start, along) / length, wp.float64(0.0), wp.float64(1.0))
    return wp.length_sq(start + at * along)


@wp.func
def squared_distance(mesh: wp.uint64, triangle: wp.int32, point: wp.vec3):
    """Compute the squared distance of a point from a triangle in float64; in float32 slivers are 1e-4 off."""
    a, b, c = corners_from(mesh, triangle, point)
    normal = wp.cross(b - a, c - a)
    beside = wp.min(wp.dot(wp.cross(a, b), normal), wp.dot(wp.cross(b, c), normal))
    found = wp.float64(0.0)
    if wp.min(beside, wp.dot(wp.cross(c, a), normal)) > wp.float64(0.0):  # above the triangle
        found = wp.dot(a, normal) * wp.dot(a, normal) / wp.length_sq(normal)
    else:
        found = wp.min(squared_distance_to_segment(a, b), squared_distance_to_segment(b, c))
        found = wp.min(found, squared_distance_to_segment(c, a))
    return found


@wp.kernel
def nearest(
    mesh: wp.uint64,
    points: wp.array(dtype=wp.vec3),
    distance: wp.array(dtype=wp.float32),
    triangle: wp.array(dtype=wp.int32),
):
    """Find the closest triangle, and its distance; in float64 among all within `CLOSE`."""
    i = wp.tid()
    point = points[i]
    closest = wp.mesh_query_point_no_sign(mesh, point, FAR).face
    least = squared_distance(mesh, closest, point)
    radius = wp.float32(wp.sqrt(least))
    if radius < CLOSE:
        around = wp.vec3(radius, radius, radius)
        query = wp.mesh_query_aabb(mesh, point - around, point + around)
        other = wp.int32(0)
        while wp.mesh_query_aabb_next(query, other):
            found = squared_distance(mesh, other, point)
            if found < least:
                least, closest = found, other
    distance[i] = wp.float32(wp.sqrt(least))
    triangle[i] = closest


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
