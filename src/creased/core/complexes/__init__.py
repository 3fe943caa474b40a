"""What extraction gives: polyhedral complexes and level sets, and how they are put together.

A complex is its vertices and edges with their codes; regions and true cells follow on request. A level set is
linked into polygons or polylines by codes alone, oriented by gradients, and audited by its corners alone.
"""
