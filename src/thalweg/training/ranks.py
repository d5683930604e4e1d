"""Several processes that train one network together, as one value that is passed in; alone it costs nothing.

Every rank holds the whole network and takes its part of each batch. What decides anything is a number that all ranks
have in common: means over the whole batch, gradients added up over the ranks, the clock of rank 0, and whether anybody
was asked to stop. So all take the same decisions, and the weights never diverge; that they do not is checked, too.

Nothing is pickled: what goes from rank to rank are numbers, text and tensors (safetensors).
"""

# Long because all messages between ranks stand together: every rank must send the same ones in the same order.

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from safetensors.torch import load, save
from torch.distributed.distributed_c10d import ProcessGroup, Store

from thalweg.core.errors import PlanError, RanksPartedError, ThalwegError, TrainingFailedError
from thalweg.core.launch import Launch
from thalweg.training.checksums import checksums
from thalweg.training.lines import Lines, connected

__all__ = ["ALONE", "TIMEOUT", "Ranks", "gist_of", "part_of"]

TIMEOUT = dt.timedelta(minutes=10)
"""A rank that does not answer for so long during training is taken as lost; one that was killed is noticed at once."""
PATIENCE = dt.timedelta(days=1)
"""The same while others wait for rank 0: to read pictures, to try learning rates, to write the report."""
_PARTED = ("connect", "timed out", "timeout", "peer", "broken pipe", "socket", "store", "gloo", "nccl", "rank")


def part_of(count: int, rank: int, size: int) -> tuple[int, int]:
    """Which of `count` things a rank takes: all are taken once, and parts differ by one at most.

    Args:
        count: How many there are.
        rank: Of the rank.
        size: Ranks.

    Returns:
        The first and one behind the last.

    Example:
        >>> [part_of(8, rank, 3) for rank in range(3)]
        [(0, 3), (3, 6), (6, 8)]
    """
    each, over = divmod(count, size)
    first = rank * each + min(rank, over)
    return first, first + each + (rank < over)


class Ranks:
    """This process's place among those that train together.

    Args:
        launch: How it was started; None for a process that is alone.
        store: What the launcher keeps for all, over restarts.
    """

    def __init__(self, launch: Launch | None = None, store: Store | None = None) -> None:
        self.rank, self.size = (launch.rank, launch.size) if launch else (0, 1)
        self.launch = launch
        self._patient: ProcessGroup | None = None
        self._lines: Lines | None = None
        self._board: torch.Tensor | None = None
        self._store = store
        if launch is not None:
            self._patient = torch.distributed.new_group(backend="gloo", timeout=PATIENCE)

    def connect(self) -> None:
        """Send short messages without gloo, where all ranks are on this machine; all ranks do this together."""
        if self.size > 1:
            self._lines = connected(self, TIMEOUT.total_seconds())

    def part_with(self) -> None:
        """Let go of what is kept for messages; a thread of it that lives on would break the end of the process."""
        self._patient = self._store = self._board = None
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    @property
    def first(self) -> bool:
        """Whether this one speaks and writes."""
        return self.rank == 0

    # Numbers during training ------------------------------------------------------------------------------------------

    def total(self, values: Sequence[float]) -> list[float]:
        """Add numbers up over the ranks; all get the same sums, to the bit.

        Args:
            values: This rank's.

        Returns:
            The sums.
        """
        if self.size == 1:
            return list(values)
        found = self.exchange(torch.tensor(values, dtype=torch.float64))
        return [float(sum(column)) for column in zip(*found.tolist(), strict=True)]

    def agree(self, seconds: float, signum: int) -> tuple[float, int]:
        """Take the clock of rank 0 for everybody's, and let all know what one was asked.

        Args:
            seconds: Measured here.
            signum: The signal that asked this rank to stop; 0 for none.

        Returns:
            Seconds of rank 0, and the signal that any rank was asked by; 0 for none.
        """
        if self.size == 1:
            return seconds, signum
        clock, *_ = found = self.exchange(torch.tensor((seconds, float(signum)), dtype=torch.float64)).tolist()
        return clock[0], int(max(asked for _, asked in found))

    def exchange(self, numbers: torch.Tensor) -> torch.Tensor:
        """Give every rank the numbers of all: what is made of them in the ranks' order has the same bits everywhere.

        Args:
            numbers: This rank's, few of them; of the same shape and type on all.

        Returns:
            `(ranks, ...)`, in their order.
        """
        if self.size == 1:
            return numbers[None]
        with self.noticing():
            if self._lines is not None and numbers.device.type == "cpu":
                return self._lines.exchange(numbers)
            every = numbers.new_zeros(self.size, *numbers.shape)  # gloo adds up three times as fast as it gathers
            every[self.rank] = numbers
            torch.distributed.all_reduce(every)
            return every

    def part(self, count: int) -> tuple[int, int]:
        """This rank's part of so many things, as `part_of` divides them.

        Args:
            count: How many there are.

        Returns:
            The first and one behind the last.
        """
        return part_of(count, self.rank, self.size)

    def room(self, count: int, like: torch.Tensor) -> torch.Tensor:
        """Make room for numbers that are added up over the ranks again and again, in place of what was made before.

        Args:
            count: How many there are, the same on all ranks.
            like: Has their type and device.

        Returns:
            `(count,)`, for `add_up`.
        """
        self._board = None
        if self._lines is not None and like.device.type == "cpu" and like.dtype is torch.float32:
            with self.noticing():
                self._board = self._lines.board(count)
        return like.new_empty(count) if self._board is None else self._board

    def add_up(self, numbers: torch.Tensor) -> None:
        """Add many numbers up over the ranks, in place.

        Args:
            numbers: What `room` gave, filled.
        """
        if self.size == 1:
            return
        with self.noticing():
            if self._lines is not None and numbers is self._board:
                self._lines.add_up(*self.part(len(numbers)))
            else:
                torch.distributed.all_reduce(numbers)

    def check_alike(self, module: torch.nn.Module, step: int) -> None:
        """See that the weights of all ranks are the same to the bit.

        Args:
            module: The network.
            step: Steps done, to be named.

        Raises:
            TrainingFailedError: They are not.
        """
        if self.size == 1:
            return
        sums = self.gather({"sums": checksums(module)})
        odd = [rank for rank, each in enumerate(sums) if not torch.equal(each["sums"], sums[0]["sums"])]
        if odd:
            raise TrainingFailedError(
                f"the weights of rank {odd[0]} differ from those of rank 0 at step {step}: a machine computes wrongly; "
                f"thalweg resume goes on from the last checkpoint, which is older than that"
            )

    # Tensors and words ------------------------------------------------------------------------------------------------

    def gather(self, tensors: Mapping[str, torch.Tensor], *, patient: bool = False) -> list[dict[str, torch.Tensor]]:
        """Give every rank what each of them has.

        Args:
            tensors: This rank's, by name.
            patient: Whether one of them may be long in coming; else it is taken as lost after `TIMEOUT`.

        Returns:
            One mapping a rank, in their order.
        """
        if self.size == 1:
            return [dict(tensors)]
        whole = {name: value.detach().to("cpu").contiguous() for name, value in tensors.items()}
        mine = torch.frombuffer(bytearray(save(whole)), dtype=torch.uint8)
        group = self._patient if patient else None
        with self.noticing():
            sizes = [torch.zeros(1, dtype=torch.int64) for _ in range(self.size)]
            torch.distributed.all_gather(sizes, torch.tensor([len(mine)]), group=group)
            room = torch.zeros(int(max(sizes)), dtype=torch.uint8)
            room[: len(mine)] = mine
            rooms = [torch.zeros_like(room) for _ in range(self.size)]
            torch.distributed.all_gather(rooms, room, group=group)
        return [load(each[: int(size)].numpy().tobytes()) for each, size in zip(rooms, sizes, strict=True)]

    def words(self, text: str) -> list[str]:
        """Give every rank what each of them says.

        Args:
            text: This rank's words.

        Returns:
            One text a rank.
        """
        if self.size == 1:
            return [text]
        said = torch.frombuffer(bytearray(text.encode("utf-8", "surrogatepass") + b"."), dtype=torch.uint8)
        found = self.gather({"said": said}, patient=True)
        return [each["said"].numpy().tobytes()[:-1].decode("utf-8", "surrogatepass") for each in found]

    def from_first(self, work: Callable[[], str]) -> str:
        """Let rank 0 find something out, and tell it to all; what it cannot do fails for all.

        Args:
            work: Done by rank 0 alone.

        Returns:
            Its answer.
        """
        text, failed = "", None
        if self.first:
            try:
                text = work()
            except ThalwegError as error:
                failed = error
        self.agree_on(failed)
        return self.words(text)[0]

    def tensors_of_first(self, tensors: Mapping[str, torch.Tensor] | None) -> dict[str, torch.Tensor]:
        """Give every rank the tensors of rank 0.

        Args:
            tensors: They, on rank 0; not looked at elsewhere.

        Returns:
            The tensors of rank 0.
        """
        if self.size == 1:
            return dict(tensors or {})
        whole = {name: value.detach().to("cpu").contiguous() for name, value in (tensors or {}).items()}
        packed = bytearray(save(whole)) if self.first else bytearray()
        with self.noticing():
            size = torch.tensor([len(packed)])
            torch.distributed.broadcast(size, 0, group=self._patient)
            room = (
                torch.frombuffer(packed, dtype=torch.uint8) if self.first else torch.empty(int(size), dtype=torch.uint8)
            )
            torch.distributed.broadcast(room, 0, group=self._patient)
        return load(room.numpy().tobytes())

    def same_start(self, module: torch.nn.Module, *, weights: bool = True) -> None:
        """Give every rank the weights of rank 0: other machines may have drawn or fitted theirs a little differently.

        Args:
            module: The network, changed in place.
            weights: Whether its weights are the same on all ranks afterwards, or its buffers alone: of weights in
                shards each has one owner.
        """
        if self.size > 1:
            kept = module.state_dict()
            state = kept if weights else {name: kept[name] for name, _ in module.named_buffers() if name in kept}
            found = self.tensors_of_first(state)
            with torch.no_grad():
                for name, value in state.items():
                    value.copy_(found[name])

    # Errors -----------------------------------------------------------------------------------------------------------

    def agree_on(self, error: ThalwegError | None) -> None:
        """Fail together: where one rank met an error, all raise it.

        Args:
            error: What this rank met, or None.

        Raises:
            ThalwegError: This rank's error, or else the first of the others.
        """
        if self.size == 1 and error is None:
            return
        said = [""] if self.size == 1 else self.words("" if error is None else f"{error.exit_status} {error}")
        if error is not None:
            raise error
        for rank, text in enumerate(said):
            if text:
                status, _, message = text.partition(" ")
                kind = TrainingFailedError if status == "1" else PlanError
                raise kind(message if rank == 0 else f"rank {rank}: {message}")

    @contextlib.contextmanager
    def in_turn(self) -> Iterator[None]:
        """Let the first rank of every machine do something before the others, who then find it in the cache.

        Yields:
            Nothing; an error of one rank is raised by all.
        """
        if self.launch is None:
            yield
            return
        leads = self.launch.local_rank == 0
        if not leads:
            self.agree_on(None)
        failed = None
        try:
            yield
        except ThalwegError as error:
            failed = error
        self.agree_on(failed)
        if leads:
            self.agree_on(None)

    @contextlib.contextmanager
    def noticing(self) -> Iterator[None]:
        """Say in one sentence that another rank is gone, whatever torch makes of it.

        Yields:
            Nothing.

        Raises:
            RanksPartedError: A message between the ranks did not get through.
            ConnectionError: Something else, as it was.
            RuntimeError: The same.
        """
        if self.size == 1:
            yield
            return
        try:
            yield
        except (RuntimeError, ConnectionError) as error:
            why = " ".join(str(error).split())
            if isinstance(error, torch.OutOfMemoryError) or not any(word in why.lower() for word in _PARTED):
                raise
            raise RanksPartedError(
                f"rank {self.rank} of {self.size} lost another rank ({gist_of(why)}): "
                f"what was saved is whole, and thalweg resume goes on from there, with any number of ranks"
            ) from error

    # Restarts ---------------------------------------------------------------------------------------------------------

    def remember(self, name: str, value: str) -> None:
        """Leave a word for those who are started anew in this one's place; the launcher keeps it.

        Args:
            name: What it is.
            value: The word.
        """
        if self._store is not None and self.first:
            self._store.set(f"thalweg/{name}", value)

    def remembered(self, name: str) -> str:
        """Find what was left before a restart.

        Args:
            name: What it is.

        Returns:
            The word of rank 0, the same on all ranks; empty where there is none.
        """
        if self.launch is None or not self.launch.restarts or self._store is None:
            return ""
        key, store = f"thalweg/{name}", self._store
        return self.from_first(lambda: store.get(key).decode() if store.check([key]) else "")


ALONE = Ranks()
"""A process that trains alone."""


def gist_of(text: str) -> str:
    """The gist of what torch says, without the places in its sources and its advice.

    Args:
        text: What it says, in one line.

    Returns:
        At most a line.
    """
    told = (text.rpartition("] ")[2] or text).partition(". ")[0]
    return told if len(told) <= 160 else f"{told[:157]}..."  # noqa: PLR2004 - a line
