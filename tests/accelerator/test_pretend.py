"""The pretended device computes, refuses and counts as a real one."""

import pytest
import torch

from tests.accelerator.pretend import MixedDevicesError, OnDevice, Pretended


@pytest.fixture
def matrix(device: Pretended) -> torch.Tensor:
    return torch.tensor([[1.0, 2.0], [3.0, 4.0]], device=device.device)


def test_it_computes_in_place_and_with_gradients(device: Pretended, matrix: torch.Tensor) -> None:
    matrix[:, [1]] = 5
    matrix.mul_(2)
    weight = matrix.clone().requires_grad_()
    (weight @ torch.eye(2, device=device.device)).square().sum().backward()
    assert isinstance(weight.grad, OnDevice)
    assert weight.grad.device == device.device
    assert weight.grad.tolist() == [[4.0, 20.0], [12.0, 20.0]]


def test_it_refuses_to_mix(device: Pretended, matrix: torch.Tensor) -> None:
    with pytest.raises(MixedDevicesError, match="mm at"):
        matrix @ torch.eye(2)
    with pytest.raises(MixedDevicesError, match="add"):
        torch.ones(2, 2) + matrix
    with pytest.raises(MixedDevicesError, match="index"):
        torch.ones(2, 2)[matrix[0].long() - 1]
    with pytest.raises(NotImplementedError, match="int64"):
        matrix.long() @ matrix.long()
    assert (matrix + torch.tensor(1.0)).tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert matrix[torch.tensor([1])].tolist() == [[3.0, 4.0]]


def test_it_counts_launches_reads_and_uploads(device: Pretended, matrix: torch.Tensor) -> None:
    for counter in (device.launches, device.views, device.reads, device.uploads):
        counter.clear()
    chosen = matrix.T.reshape(4)[[1, 2]]  # a view, a copy, an upload and an index
    assert (device.launches.total(), device.uploads.total(), device.reads.total()) == (2, 1, 0)
    assert float(chosen.sum()) == 5
    assert matrix[matrix > 1].shape == (3,)
    assert (device.launches.total(), device.reads.total()) == (6, 2)
