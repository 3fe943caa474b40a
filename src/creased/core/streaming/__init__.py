"""Level sets that are larger than memory: walked in sub-boxes, of which each is kept as what a mesh needs.

The planes between sub-boxes are scaffolding, as in `creased.core.subdivision.sub_boxes`. A sub-box is walked
from the seeds in it, and from where polygons of its neighbours reach their common plane; one that the level
set misses costs nothing. Of a polygon that planes cut only its corners are kept, each with the rows of the
sides before and behind it, by which they are joined: positions are not compared, and no vertex is merged.
"""
