"""Pictures and tables of complexes, tropical curves, zonotopes and counts of regions."""
