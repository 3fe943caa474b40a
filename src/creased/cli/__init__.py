"""The command line: `creased extract`, `info`, `count`, `compress`, `view` and `draw`.

The parser names every option; each command is checked before any work, and what is wrong is said in one line.
"""
