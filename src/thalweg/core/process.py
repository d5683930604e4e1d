"""What has to be settled in a process before torch is loaded, because torch reads it only once."""

import os

__all__ = ["compute_alone", "share_processor"]


def share_processor() -> None:
    """Let waiting threads sleep instead of spin, unless the user decided otherwise.

    torch's threads (GNU OpenMP) spin between two parallel loops in the hope that the next one starts at once. On two
    cores that something else uses too, each such wait lasts a whole time slice of the other program: training falls to
    a tenth of its speed or less. Asleep, threads cost a fifth of the speed on an idle machine and keep it on a busy one
    (docs/decisions/0002).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def compute_alone() -> None:
    """Keep numpy from starting a thread a core when it is loaded, for a command that multiplies no matrices.

    Starting them costs a sixth of what judging a log takes. What the user decided stays.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
