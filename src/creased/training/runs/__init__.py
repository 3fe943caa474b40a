"""Folders of runs: which one a run gets, which one it resumes, and who may write to it.

A run is known by the hash of its shape. `replay` completes the command line of a resumed run by the options
that it was begun with, before Hydra composes; `resume` compares the result with the checkpoint, and refuses
or accepts. Nothing is written to a folder before that, and `lock` keeps other processes out. `commands`
formats what to type next.
"""
