"""Checks beyond the tests: random networks, counts in rationals, folders of files, and what is released."""
