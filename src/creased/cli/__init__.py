"""The command line: `creased extract`, `info`, `count`, `compress`, `check`, `compare`, `view` and `draw`.

`parser` declares the options, `main` dispatches, and each larger command has a file; `check` and `compare`,
which take meshes of any origin, are in `meshes`. Options are checked
before any work; a user's mistake ends in one line on standard error and exit status 1. Packages beyond torch
are imported by the command that needs them, so that `creased --help` works without any.
"""
