"""Work in forked processes: torch is imported once, and whatever is injected dies with the child."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["begin", "in_child", "limit_memory", "status_of"]


def begin(work: Callable[[], object]) -> int:
    """Do something in a forked process, without waiting for it.

    Args:
        work: Done by the child, which then ends: with 0, with the status of a SystemExit, or with 1 after an error,
            which is told on standard error.

    Returns:
        The child's process number.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work()
            status = 0
        except SystemExit as done:
            status = int(done.code or 0)
        except BaseException as error:  # noqa: BLE001 - told, and the process ends
            print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            sys.stderr.flush()
            os._exit(status)
    return child


def status_of(child: int) -> int:
    """Wait for a child.

    Args:
        child: Its process number.

    Returns:
        Its exit status, negative for a signal.
    """
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_child(work: Callable[[], object]) -> int:
    """Do something in a forked process, and wait.

    Args:
        work: Done by the child.

    Returns:
        Its exit status, negative for a signal.
    """
    return status_of(begin(work))


def limit_memory(more: int) -> None:
    """Let this process take so much memory more than it has, and no more (Linux).

    Args:
        more: Bytes of address space.
    """
    import resource

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + more, used + more))
