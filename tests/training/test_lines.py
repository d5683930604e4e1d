"""Lines between ranks of one machine: what all have, sums in common memory, and one who is gone."""

import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from thalweg.training import lines
from thalweg.training.lines import Lines, connected
from thalweg.training.ranks import part_of

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="such sockets are not there")


class Talking:
    """Ranks that are threads."""

    barrier: threading.Barrier
    said: list[str]

    def __init__(self, rank, size):
        self.rank, self.size = rank, size

    def words(self, text):
        self.said[self.rank] = text
        self.barrier.wait()
        every = list(self.said)
        self.barrier.wait()
        return every


def together(size, work, *, timeout=20.0):
    """Do something on so many ranks, each with its lines; give what each comes to."""
    Talking.barrier, Talking.said = threading.Barrier(size, timeout=60), [""] * size

    def ranked(rank):
        own = connected(Talking(rank, size), timeout)
        try:
            return work(rank, own)
        finally:
            if own is not None:
                own.close()

    with ThreadPoolExecutor(size) as threads:
        return list(threads.map(ranked, range(size)))


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("shape", [(), (5,), (3, 50_000)], ids=str)
def test_every_rank_gets_the_numbers_of_all_in_their_order(size, shape):
    torch.manual_seed(0)
    numbers = torch.randn(size, *shape, dtype=torch.float64)
    for every in together(size, lambda rank, own: own.exchange(numbers[rank])):
        assert torch.equal(every, numbers)


@pytest.mark.parametrize("size", [2, 3])
def test_sums_have_the_same_bits_on_all_ranks_and_are_each_ones_own(size, monkeypatch):
    monkeypatch.setattr(lines, "_BLOCK", 64)
    torch.manual_seed(0)
    numbers = torch.randn(size, 1001)

    def work(rank, own):
        found = []
        for turn in range(3):
            board = own.board(1001) if turn == 0 else board  # noqa: F821 - of the first turn
            board.copy_(numbers[rank] * (turn + 1))
            own.add_up(*part_of(1001, rank, size))
            found.append(board.clone())
            board *= rank  # nobody else sees it
        return found

    wanted = numbers[0] + numbers[1] + (numbers[2] if size > 2 else 0)
    for found in together(size, work):
        assert torch.equal(found[0], wanted)
        assert torch.allclose(found[2], 3 * wanted, rtol=1e-5, atol=1e-5)


def test_a_rank_that_is_gone_is_noticed_at_once():
    def work(rank, own):
        if rank == 0:
            own.close()
            return
        with pytest.raises(ConnectionError, match=r"[Cc]losed by peer|Broken pipe|reset by peer"):
            own.exchange(torch.zeros(3))

    together(2, work)


def test_a_rank_that_hangs_is_noticed_in_time():
    done = threading.Event()

    def work(rank, own):
        if rank == 0:
            done.wait(30)
            return
        with pytest.raises(ConnectionError, match="timed out"):
            own.exchange(torch.zeros(3))
        done.set()

    together(2, work, timeout=1)


def test_where_one_rank_lies_elsewhere_all_do_without(monkeypatch):
    monkeypatch.setattr(Talking, "words", _from_elsewhere)
    assert together(2, lambda _, own: own) == [None, None]


def _from_elsewhere(self, text):
    self.said[self.rank] = "/no/such/place" if self.rank == 1 and "/" in text else text
    self.barrier.wait()
    every = list(self.said)
    self.barrier.wait()
    return every


def test_too_little_room_on_the_way_is_seen_by_all(monkeypatch):
    monkeypatch.setattr(Lines, "roomy", property(lambda self: self.rank != 0))
    assert together(2, lambda _, own: own) == [None, None]


def test_without_common_memory_all_ranks_know(monkeypatch):
    monkeypatch.setattr(lines, "_mapped", _refuses)
    assert together(2, lambda _, own: own.board(10)) == [None, None]


def _refuses(*_):
    raise OSError("no memory")
