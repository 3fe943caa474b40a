"""Polyhedral complexes and level sets: the results of extraction, and how they are assembled.

A complex is its vertices and edges with their codes; regions and true cells follow on request. A level set is
linked into polygons or polylines by codes alone, oriented by gradients, and audited by its corners alone.
"""
