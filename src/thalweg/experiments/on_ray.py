"""The same work on many cases, spread over a Ray cluster: the one at `RAY_ADDRESS`, or one of this machine's cores.

What every task computes is what a process of `many` computes: one thread, one case, so the table is the same. Ray sends
functions and data as pickles to the cluster that the user named; it must be one of the user's own.
"""

import contextlib
import os
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from thalweg.core.errors import MissingExtraError, TrainingFailedError
from thalweg.workbench.telling.telling import Listener

__all__ = ["on_ray"]

Case = TypeVar("Case")
Answer = TypeVar("Answer")
Shared = TypeVar("Shared")


def on_ray(
    work: Callable[[Shared, Case], Answer],
    shared: Shared,
    cases: Sequence[Case],
    *,
    workers: int,
    listener: Listener,
    what: str,
) -> list[Answer]:
    """Do the same work on many cases.

    Args:
        work: A function of a module that the cluster's machines can import.
        shared: What all cases need; put into the cluster once.
        cases: The cases.
        workers: Cores of a cluster that is started here; one at `RAY_ADDRESS` has its own.
        listener: Whoever shows progress.
        what: What is counted.

    Returns:
        The answers, in the order of the cases.

    Raises:
        MissingExtraError: Ray is not installed.
        TrainingFailedError: A task died.
        BaseException: Whatever the work raised.
    """
    try:
        import ray  # type: ignore[import-not-found, unused-ignore]  # an extra
    except ModuleNotFoundError:
        raise MissingExtraError("ray", "ray", "to spread a lab over a Ray cluster") from None
    began = not ray.is_initialized()
    if began:
        address = os.environ.get("RAY_ADDRESS")
        own: dict[str, Any] = {} if address else {"num_cpus": workers, "include_dashboard": False}
        ray.init(address=address, configure_logging=False, log_to_driver=False, **own)
    try:
        task = ray.remote(num_cpus=1, max_retries=1)(_one)
        kept = ray.put(shared)
        waiting = {task.remote(work, kept, case): number for number, case in enumerate(cases)}
        answers: dict[int, Answer] = {}
        while waiting:
            (ready,), _ = ray.wait(list(waiting), num_returns=1)
            try:
                answers[waiting.pop(ready)] = ray.get(ready)
            except ray.exceptions.RayTaskError as error:
                raise error.cause from None
            except ray.exceptions.RayError as error:
                raise TrainingFailedError(
                    f"a task on the Ray cluster died: {' '.join(str(error).split())[:200]}"
                ) from error
            listener.count(what, len(answers), len(cases))
        return [answers[number] for number in range(len(cases))]
    finally:
        if began:
            with contextlib.suppress(Exception):
                ray.shutdown()


def _one(work: Callable[[Shared, Case], Answer], shared: Shared, case: Case) -> Answer:
    """A case, on one thread as in a process of `many`."""
    from thalweg.experiments.many import one_thread

    with one_thread():
        return work(shared, case)
