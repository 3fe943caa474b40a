"""The run that training's tests share."""

from tests.training.conftest import few_points, finished

__all__ = ["few_points", "finished"]
