"""How long calls take on a machine that does other things too: processor time, in turn, and the fastest quarter counts.

On one thread: several threads on cores that others use as well wait for one another, which says nothing of the call.
"""

import time
from collections.abc import Callable, Mapping
from functools import partial

import torch

from thalweg.core.network_spec import NetworkSpec
from thalweg.modules.build import build

__all__ = ["answer_seconds", "fastest_seconds"]

_MOST = 10_000


def fastest_seconds(calls: Mapping[str, Callable[[], object]], *, seconds: float, least: int = 5) -> dict[str, float]:
    """Time calls in turn, so that a disturbance meets all of them.

    What disturbs only ever makes a call slower, so the lower quartile of many tries is nearer to the call itself than
    their mean.

    Args:
        calls: What to call, by name; each is called twice first.
        seconds: How long all of them together may take, about.
        least: Rounds that are made in any case.

    Returns:
        Seconds of the processor a call, by name.

    Example:
        >>> fastest_seconds({"nothing": lambda: None}, seconds=0.001)["nothing"] < 0.01
        True
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return _timed(calls, seconds, least)
    finally:
        torch.set_num_threads(threads)


def _timed(calls: Mapping[str, Callable[[], object]], seconds: float, least: int) -> dict[str, float]:
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
        call()
    began, rounds = time.perf_counter(), 0
    while rounds < least or (time.perf_counter() - began < seconds and rounds < _MOST):
        for name, call in calls.items():
            start = time.process_time()
            call()
            taken[name].append(time.process_time() - start)
        rounds += 1
    return {name: sorted(each)[len(each) // 4] for name, each in taken.items()}


def answer_seconds(specs: Mapping[str, NetworkSpec], *, seconds: float, batch: int = 16) -> dict[str, float]:
    """Time how long networks take for one sample, in batches, without gradients, on one core.

    Args:
        specs: The networks, by name.
        seconds: How long all of them together may take, about.
        batch: Samples a call.

    Returns:
        Seconds a sample, by name.
    """
    calls = {}
    for name, spec in specs.items():
        module = build(spec, seed=0).eval()
        sizes = next(iter(spec.inputs.values())).as_tuple()
        sample = torch.rand(batch, *sizes, generator=torch.Generator().manual_seed(0))
        calls[name] = partial(_answered, module, sample)
    return {name: each / batch for name, each in fastest_seconds(calls, seconds=seconds).items()}


def _answered(module: torch.nn.Module, sample: torch.Tensor) -> None:
    with torch.inference_mode():
        module(sample)
