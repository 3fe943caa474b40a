"""Polyhedral cones in integers: double description, and their face lattices."""
