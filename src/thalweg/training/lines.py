"""Direct lines between ranks of one machine: short messages, and a sum in memory that all of them see.

gloo hands every message to threads of its own, on both sides; on a machine whose cores all compute, a message of two
kilobytes then costs half a millisecond of processor time, and there are thirty a step. Over a pair of sockets the
rank itself sends and waits: a twentieth of that (docs/decisions/0050). A rank that is gone closes its sockets, so the
others notice at once; one that hangs is noticed after `training.ranks.TIMEOUT`, as with gloo.

Sums of many numbers are made where the numbers lie. Each rank puts its own into memory that the others have mapped,
and adds up one part of them for everybody, in the order of the ranks, so that all get the same bits.
"""

import contextlib
import mmap
import os
import shutil
import socket
import struct
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import torch

__all__ = ["Lines", "connected"]

CHUNK = 32 << 10
"""Bytes sent before as many are received: both ends may send at once, and two chunks must have room on the way."""
_ROOM = 8 * CHUNK
_BLOCK = 1 << 16
"""Numbers added up at a time: few enough to stay in a core's cache."""
_PATIENCE = 20.0
"""Seconds to wait for a rank that was there a moment ago."""


class _Ranks(Protocol):
    """What is needed of the ranks until there are lines."""

    rank: int
    size: int

    def words(self, text: str) -> list[str]:
        """Give every rank what each of them says."""


def connected(ranks: _Ranks, timeout: float) -> "Lines | None":
    """Connect every rank with every other, where all of them are on one machine.

    Args:
        ranks: They; all do this at the same time.
        timeout: Seconds after which one that does not answer is taken as lost.

    Returns:
        The lines; None on all ranks where one of them could not be reached: then gloo must do.
    """
    lines = None
    with _listening() as (own, place):
        places = ranks.words(place)
        seen = all(map(_is_there, places))
        if set(ranks.words("seen" if seen else "")) != {"seen"} or own is None:
            return None
        with contextlib.suppress(OSError, struct.error):
            lines = Lines(ranks.rank, _meet(own, places, ranks.rank), timeout)
    if set(ranks.words("ready" if lines is not None and lines.roomy else "")) == {"ready"}:
        return lines
    if lines is not None:
        lines.close()
    return None


@contextlib.contextmanager
def _listening() -> Iterator[tuple[socket.socket | None, str]]:
    """A socket that can be called at a place; None where there can be none."""
    folder = None
    try:
        with contextlib.ExitStack() as held:
            try:
                folder = tempfile.mkdtemp(prefix="thalweg-")  # nobody else may enter it, so nobody else can call
                own = held.enter_context(socket.socket(socket.AF_UNIX))
                own.bind(place := str(Path(folder, "line")))
                own.listen()
                own.settimeout(_PATIENCE)
            except (OSError, AttributeError):  # a path that is too long, a disk or a system without such sockets
                yield None, ""
            else:
                yield own, place
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _is_there(place: str) -> bool:
    with contextlib.suppress(OSError):  # of somebody else's folder nothing is told
        return bool(place) and Path(place).is_socket()
    return False


def _meet(own: socket.socket, places: Sequence[str], rank: int) -> dict[int, socket.socket]:
    """Call those before this one, and be called by those behind it."""
    found: dict[int, socket.socket] = {}
    for other in range(rank):
        found[other] = line = socket.socket(socket.AF_UNIX)
        line.settimeout(_PATIENCE)
        line.connect(places[other])
        line.sendall(struct.pack("!I", rank))
    for _ in range(rank + 1, len(places)):
        line, _ = own.accept()
        line.settimeout(_PATIENCE)
        found[struct.unpack("!I", line.recv(4, socket.MSG_WAITALL))[0]] = line
    return found


class Lines:
    """A line to each of the other ranks; all use them at the same time, in the same order.

    Args:
        rank: This one's number.
        sockets: One to every other.
        timeout: Seconds after which one that does not answer is taken as lost.
    """

    def __init__(self, rank: int, sockets: dict[int, socket.socket], timeout: float) -> None:
        self.rank, self.size, self._sockets = rank, len(sockets) + 1, sockets
        waiting = struct.pack("@ll", int(timeout), 0)
        for each in sockets.values():
            each.settimeout(None)  # the system's own limits spare a call of it for every message
            each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, waiting)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, waiting)
            each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
        self._boards: list[torch.Tensor] = []

    @property
    def roomy(self) -> bool:
        """Whether two chunks have room on the way, so that ranks that send at the same time never wait for another."""
        return all(each.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) >= 4 * CHUNK for each in self._sockets.values())

    def close(self) -> None:
        """Hang up."""
        self._boards = []
        for each in self._sockets.values():
            each.close()

    def exchange(self, numbers: torch.Tensor) -> torch.Tensor:
        """Give every rank the numbers of all.

        Args:
            numbers: This rank's, on the CPU; of the same shape and type on all.

        Returns:
            `(ranks, ...)`, in their order.

        Raises:
            ConnectionError: A rank is gone.
        """
        every = torch.empty((self.size, *numbers.shape), dtype=numbers.dtype)
        every[self.rank] = numbers
        rows = every.view(self.size, -1).view(torch.uint8).numpy()
        own = memoryview(rows[self.rank])
        for start in range(0, len(own), CHUNK):
            for line in self._sockets.values():
                _send(line, own[start : start + CHUNK])
            for rank, line in self._sockets.items():
                _receive(line, memoryview(rows[rank])[start : start + CHUNK])
        return every

    def board(self, count: int) -> torch.Tensor | None:
        """Make memory that all ranks see, in place of what there was.

        Args:
            count: Numbers of each rank, the same on all.

        Returns:
            float32 `(count,)`, to be filled before each `add_up`; None on all ranks where the system has none.

        Raises:
            ConnectionResetError: A rank is gone.
        """
        self._boards = []
        boards: dict[int, torch.Tensor] = {}
        own, room = -1, max(1, 4 * count)
        try:
            with contextlib.suppress(OSError, AttributeError, ValueError):  # too little memory, or another system
                own = os.memfd_create("thalweg")
                os.posix_fallocate(own, 0, room)  # what is missing must be noticed here: later it kills the process
                boards[self.rank] = _mapped(own, room)
            if not self._all(bool(boards)):
                return None
            for line in self._sockets.values():
                socket.send_fds(line, [b"."], [own])
            for rank, line in self._sockets.items():
                _, given, _, _ = socket.recv_fds(line, 1, 1)
                if not given:
                    raise ConnectionResetError("Connection closed by peer")
                with contextlib.suppress(OSError, ValueError):
                    boards[rank] = _mapped(given[0], room)
                os.close(given[0])
            if not self._all(len(boards) == self.size):
                return None
        finally:
            if own >= 0:
                os.close(own)
        self._boards = [boards[rank][:count] for rank in range(self.size)]
        return self._boards[self.rank]

    def add_up(self, first: int, last: int) -> None:
        """Put the sum over the ranks in place of what each of them has put on its board.

        Args:
            first: The first number that this rank adds up for all; all ranks together take every number once.
            last: One behind its last.
        """
        self.wait()
        for start in range(first, last, _BLOCK):
            parts = [each[start : min(last, start + _BLOCK)] for each in self._boards]
            total = parts[0] + parts[1]
            for part in parts[2:]:
                total += part
            for part in parts:
                part.copy_(total)
        self.wait()

    def wait(self) -> None:
        """Wait until all ranks have come here."""
        self._all(True)

    def _all(self, own: bool) -> bool:
        """Whether all ranks say yes."""
        return bool(self.exchange(torch.tensor([own], dtype=torch.uint8)).all())


def _mapped(file: int, room: int) -> torch.Tensor:
    return torch.frombuffer(mmap.mmap(file, room), dtype=torch.float32)


def _send(line: socket.socket, data: memoryview) -> None:
    try:
        line.sendall(data)
    except BlockingIOError:
        raise ConnectionAbortedError("timed out: a peer does not listen") from None


def _receive(line: socket.socket, room: memoryview) -> None:
    while len(room):
        try:
            got = line.recv_into(room, 0, socket.MSG_WAITALL)
        except BlockingIOError:
            raise ConnectionAbortedError("timed out: a peer does not answer") from None
        if got == 0:
            raise ConnectionResetError("Connection closed by peer")
        room = room[got:]
