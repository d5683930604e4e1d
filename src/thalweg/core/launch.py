"""How this process was started: alone, or as one of several ranks by torchrun, srun or a cluster's operator.

Launchers say so in four variables that torch reads as well. Only what needs no torch is here, so that the command line
can decide who speaks before anything slow is loaded.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from thalweg.core.errors import PlanError

__all__ = ["Launch", "launched"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One of several processes that train together.

    Args:
        rank: Its number, from 0; rank 0 speaks and writes.
        size: How many there are.
        local_rank: Its number on its machine, from 0.
        restarts: How often all of them were started anew already, by a launcher that does so.
        restarts_left: How often that may happen still; where it may, a status other than 0 means "start anew".
        address: Machine and port where they meet.
        hosted: Whether the launcher keeps the place where they meet; else rank 0 does.
    """

    rank: int
    size: int
    local_rank: int = 0
    restarts: int = 0
    restarts_left: int = 0
    address: tuple[str, int] = ("", 0)
    hosted: bool = False


def launched(environment: Mapping[str, str] | None = None) -> Launch | None:
    """See how this process was started.

    Args:
        environment: Variables; those of the process by default.

    Returns:
        Its place among the ranks; None where it is alone.

    Raises:
        PlanError: The variables are there and make no sense.

    Example:
        >>> launched({}) is None
        True
        >>> told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "node-0", "MASTER_PORT": "29500"}
        >>> launched(told).rank, launched({**told, "WORLD_SIZE": "1", "RANK": "0"})
        (1, None)
    """
    told = os.environ if environment is None else environment
    if not all(told.get(name) for name in ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")):
        return None
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_PORT", "TORCHELASTIC_RESTART_COUNT",
             "TORCHELASTIC_MAX_RESTARTS")  # fmt: skip
    try:
        rank, size, local, port, restarts, most = (int(told.get(name) or 0) for name in names)
    except ValueError:
        rank = size = local = port = restarts = most = -1
    if not 0 <= rank < size:
        words = ", ".join(f"{name}={told.get(name, '')}" for name in names[:2])
        raise PlanError(f"{words} make no rank: start with torchrun, or unset these variables to train alone")
    if size == 1:
        return None
    return Launch(
        rank=rank,
        size=size,
        local_rank=local,
        restarts=restarts,
        restarts_left=max(0, most - restarts),
        address=(told["MASTER_ADDR"], port),
        hosted=told.get("TORCHELASTIC_USE_AGENT_STORE") == "True",
    )
