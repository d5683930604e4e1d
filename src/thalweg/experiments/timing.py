"""How long calls take on a machine that does other things too: in turn, many times, and the fastest quarter counts."""

import time
from collections.abc import Callable, Mapping

__all__ = ["fastest_seconds"]


def fastest_seconds(calls: Mapping[str, Callable[[], object]], *, seconds: float, least: int = 5) -> dict[str, float]:
    """Time calls in turn, so that a disturbance meets all of them.

    What disturbs only ever makes a call slower, so the lower quartile of many tries is nearer to the call itself than
    their mean.

    Args:
        calls: What to call, by name; each is called twice first.
        seconds: How long all of them together may take, about.
        least: Rounds that are made in any case.

    Returns:
        Seconds a call, by name.

    Example:
        >>> fastest_seconds({"nothing": lambda: None}, seconds=0.001)["nothing"] < 0.01
        True
    """
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for call in calls.values():
        call()
        call()
    began, rounds = time.perf_counter(), 0
    while rounds < least or (time.perf_counter() - began < seconds and rounds < 10_000):  # noqa: PLR2004 - a clock that stands
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            taken[name].append(time.perf_counter() - start)
        rounds += 1
    return {name: sorted(each)[len(each) // 4] for name, each in taken.items()}
