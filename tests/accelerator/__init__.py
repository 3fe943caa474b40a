"""The package on an accelerator that is not there, see `pretend`."""
