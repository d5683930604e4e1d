"""Meeting the other ranks at the start of a run, and parting at its end."""

import contextlib
from collections.abc import Iterator

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]  # torch's stubs do not say that it is public
from torch.distributed.distributed_c10d import PrefixStore, Store

from thalweg.core.errors import RanksPartedError
from thalweg.core.launch import Launch, launched
from thalweg.training.ranks import ALONE, TIMEOUT, Ranks, gist_of

__all__ = ["joined"]


@contextlib.contextmanager
def joined(kind: str) -> Iterator[Ranks]:
    """Meet the other ranks, where this process was started as one of several.

    Args:
        kind: Device that it computes on.

    Yields:
        Its place among them; `ALONE` where nobody else was started.

    Raises:
        RanksPartedError: The others did not come.

    Example:
        >>> with joined("cpu") as ranks:
        ...     ranks.size, ranks.first, ranks.total([1.0])
        (1, True, [1.0])
    """
    launch = launched()
    if launch is None:
        yield ALONE
        return
    if kind == "cuda":
        torch.cuda.set_device(launch.local_rank % torch.cuda.device_count())
    began = not torch.distributed.is_initialized()  # a script of the user's may have met the others already
    ranks = Ranks(launch, _meet(launch, kind) if began else None)
    try:
        if kind == "cpu":
            ranks.connect()
        yield ranks
    finally:
        ranks.part_with()
        if began:
            with contextlib.suppress(RuntimeError):
                torch.distributed.destroy_process_group()


def _meet(launch: Launch, kind: str) -> Store:
    """Meet at the launcher's store, or rank 0's; under this start's name: addresses of an earlier one stay there."""
    host, port = launch.address
    try:
        store = TCPStore(
            host, port, is_master=launch.rank == 0 and not launch.hosted, timeout=TIMEOUT, wait_for_workers=False
        )
        torch.distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if kind == "cuda" else "gloo",
            store=PrefixStore(f"thalweg/start-{launch.restarts}", store),
            rank=launch.rank,
            world_size=launch.size,
            timeout=TIMEOUT,
        )
    except (RuntimeError, ValueError) as error:
        raise RanksPartedError(
            f"rank {launch.rank} of {launch.size} did not meet the others at {host}:{port}: "
            f"{gist_of(' '.join(str(error).split()))}"
        ) from error
    return store
