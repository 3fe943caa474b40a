"""Count kernels and synchronisations of a part, and say which lines and operations they come from."""

from __future__ import annotations

import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

import creased
from creased.geometry.regularizers.areas import Area
from scripts.accelerator.bench import Bench
from scripts.accelerator.networks import new_grid, optimizer_of, train

BOX = creased.Box.cube(3, 0.5)
TOP = 20  # rows of a table
SOURCE = str(Path(creased.__file__).parent)


def march_profile(bench: Bench) -> None:
    """Where the time of marching 8x32 goes."""
    network = bench.networks.plain(8, 32)
    _profile(bench, "march_8x32", lambda: creased.extract_level_set(network, BOX, method="march"))


def subdivide_profile(bench: Bench) -> None:
    """Where the time of the complex of 3x16 goes."""
    network = bench.networks.plain(3, 16)
    _profile(bench, "complex_3x16", lambda: creased.extract_complex(network, BOX))


def grid_profile(bench: Bench) -> None:
    """Where the time of the level set of N = 128 goes."""
    network = bench.networks.grid(128)
    _profile(bench, "grid_128", lambda: creased.extract_level_set(network, None))


def step_profile(bench: Bench) -> None:
    """Where the time of training steps goes, ten plain ones and ten with a regularizer."""
    network, term = new_grid(64, quick=bench.quick).to(bench.device), Area()
    network.load_state_dict(bench.networks.grid(64).state_dict())
    optimizer = optimizer_of(network)
    surface = creased.extract_level_set(network, BOX)
    term(surface, creased.lower(network))
    more = lambda: term(surface, creased.lower(network, check=False))  # noqa: E731
    for name, extra in (("steps_10_grid_64", None), ("steps_10_regularized_grid_64", more)):
        batches = [bench.networks.batch() for _ in range(10)]
        _profile(bench, name, lambda: train(network, optimizer, batches, extra))  # noqa: B023


def _profile(bench: Bench, name: str, work: Callable[[], Any]) -> None:
    """Write tables of operations, by count and by time, and the lines that wait for the device."""
    work()
    waits = _waits(bench, work)
    is_cuda = bench.device.type == "cuda"
    activities = [ProfilerActivity.CPU] + [ProfilerActivity.CUDA] * is_cuda
    with profile(activities=activities) as measured:
        work()
        bench.synchronize()
    events = measured.key_averages()
    n_kernels = sum(event.count for event in events if "LaunchKernel" in event.key)
    n_waits = sum(event.count for event in events if event.key in ("cudaStreamSynchronize", "cudaMemcpy"))
    n_calls = sum(event.count for event in events if event.key.startswith("aten::"))
    on_device = [event for event in events if event.device_type == DeviceType.CUDA]
    kernel_ms = sum(event.self_device_time_total for event in on_device) / 1000
    text = (
        f"{n_calls:,} calls of operations, {n_kernels:,} launches ({kernel_ms:.1f} ms of the device), "
        f"{n_waits:,} waits of the host, {sum(waits.values()):,} of them seen by line"
    )
    bench.check(f"profile {name}", True, text)
    by_count = sorted(events, key=lambda event: -event.count)[:TOP]
    with (bench.out / "profiles.txt").open("a") as file:
        print(f"\n===== {name}: {text}\n", file=file)
        print("most frequent:", *(f"{e.count:9,}  {e.key}" for e in by_count), sep="\n", file=file)
        print("\nwaits by line:", *(f"{n:9,}  {w}" for w, n in waits.most_common(40)), sep="\n", file=file)
        for order in ("self_cuda_time_total", "self_cpu_time_total") if is_cuda else ("self_cpu_time_total",):
            print(f"\nby {order}:", file=file)
            print(events.table(sort_by=order, row_limit=TOP, max_name_column_width=60), file=file)


def _waits(bench: Bench, work: Callable[[], Any]) -> Counter[str]:
    """Count synchronisations of the host with the device by the line of creased that causes them."""
    found: Counter[str] = Counter()
    if bench.device.type != "cuda":
        return found

    def note(message: Any, *_: Any, **__: Any) -> None:
        if "synchroniz" in str(message):
            found[_line_of_creased()] += 1

    shown, warnings.showwarning = warnings.showwarning, note
    mode = torch.cuda.get_sync_debug_mode()
    try:
        with warnings.catch_warnings():
            warnings.showwarning = note
            warnings.simplefilter("always")
            torch.cuda.set_sync_debug_mode("warn")
            work()
    finally:
        torch.cuda.set_sync_debug_mode(mode)
        warnings.showwarning = shown
    return found


def _line_of_creased() -> str:
    for frame in reversed(traceback.extract_stack()):
        if frame.filename.startswith(SOURCE):
            return f"{frame.filename.removeprefix(SOURCE + '/')}:{frame.lineno} {frame.line}"
    return "elsewhere"
