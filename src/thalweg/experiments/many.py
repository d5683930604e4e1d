"""The same work on many cases, in several processes of one thread each.

Processes of our own and not `multiprocessing`: that runs the user's script again in every one of them, and a script
without `if __name__ == "__main__"` would start the experiment a second time. What goes through the pipes is ours alone.
"""

import contextlib
import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any, TypeVar

from thalweg.core.errors import TrainingFailedError
from thalweg.core.process import another_python, pipes_here
from thalweg.workbench.telling.telling import Listener, whoever_is_here

if TYPE_CHECKING:
    import subprocess

__all__ = ["in_processes", "one_thread", "spread_over_ray"]

Case = TypeVar("Case")
Answer = TypeVar("Answer")
Shared = TypeVar("Shared")

_ON_RAY: ContextVar[bool] = ContextVar("on a Ray cluster", default=False)


def in_processes(
    work: Callable[[Shared, Case], Answer],
    shared: Shared,
    cases: Sequence[Case],
    *,
    workers: int,
    listener: Listener | None = None,
    what: str = "trainings",
) -> list[Answer]:
    """Do the same work on many cases.

    Args:
        work: A function of a module; called with what all share and one case.
        shared: What all cases need, such as the data; sent once to every process.
        cases: The cases.
        workers: Processes at the same time; with 1 it is done in this one, to the same bits: on one thread, as there.
        listener: Whoever shows progress.
        what: What is counted.

    Returns:
        The answers, in the order of the cases.

    Raises:
        TrainingFailedError: A process died.
        BaseException: Whatever the work raised.

    Example:
        >>> in_processes(pow, 2, [1, 2, 3], workers=1)
        [2, 4, 8]
    """
    listener = listener or whoever_is_here()
    if _ON_RAY.get():
        from thalweg.experiments.on_ray import on_ray

        return on_ray(work, shared, cases, workers=workers, listener=listener, what=what)
    if workers == 1 or len(cases) == 1:
        found = []
        with one_thread():
            for number, case in enumerate(cases, 1):
                found.append(work(shared, case))
                listener.count(what, number, len(cases))
        return found
    waiting: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, object]] = SimpleQueue()
    for number in range(len(cases)):
        waiting.put(number)
    start = "from thalweg.experiments.many import serve; serve()"
    processes = [another_python(start, here=True) for _ in range(min(workers, len(cases)))]
    threads = [
        threading.Thread(target=_feed, args=(process, work, shared, cases, waiting, done), daemon=True)
        for process in processes
    ]
    answers: dict[int, Any] = {}
    try:
        for thread in threads:
            thread.start()
        while len(answers) < len(cases):
            number, answer = done.get()
            if isinstance(answer, BaseException):
                raise answer
            answers[number] = answer
            listener.count(what, len(answers), len(cases))
    finally:
        _end(processes, threads)
    return [answers[number] for number in range(len(cases))]


@contextlib.contextmanager
def spread_over_ray(wanted: bool) -> Iterator[None]:
    """Hand what is done in processes to a Ray cluster instead, while the block runs.

    Args:
        wanted: Whether to.

    Yields:
        Nothing.
    """
    before = _ON_RAY.set(wanted)
    try:
        yield
    finally:
        _ON_RAY.reset(before)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Add numbers up in the order in which a process of one thread does.

    Yields:
        Nothing; afterwards there are as many threads as before.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _end(processes: "Sequence[subprocess.Popen[bytes]]", threads: Sequence[threading.Thread]) -> None:
    for process in processes:
        process.kill()
        process.wait()
    for thread in threads:
        if thread.ident is not None:
            thread.join()
    for process in processes:
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was not sent yet
                pipe.close()  # type: ignore[union-attr]


def _feed(
    process: "subprocess.Popen[bytes]",
    work: object,
    shared: object,
    cases: Sequence[object],
    waiting: "SimpleQueue[int]",
    done: "SimpleQueue[tuple[int, object]]",
) -> None:
    """Hand a process one case after another."""
    assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018 - both are pipes
    number = -1
    try:
        pickle.dump((work, shared), process.stdin)
        while True:
            try:
                number = waiting.get_nowait()
            except Empty:
                return
            pickle.dump(cases[number], process.stdin)
            process.stdin.flush()
            done.put((number, pickle.load(process.stdout)))  # noqa: S301 - our own process
    except (OSError, EOFError, pickle.PickleError) as error:
        status = process.poll()
        done.put((number, TrainingFailedError(
            f"a process of the experiment died ({type(error).__name__}, status {status}): is there enough memory? "
            f"--workers 1 needs least"
        )))  # fmt: skip


def serve() -> None:
    """What a process does: one case after another, until there is none."""
    source, answers = pipes_here()
    with contextlib.suppress(EOFError, BrokenPipeError, KeyboardInterrupt):
        work, shared = pickle.load(source)  # noqa: S301 - from the process that started this one
        while True:
            case = pickle.load(source)  # noqa: S301 - as above
            try:
                answer: object = work(shared, case)
            except Exception as error:  # noqa: BLE001 - whatever it is, the parent raises it
                answer = error
            pickle.dump(answer, answers)
            answers.flush()
