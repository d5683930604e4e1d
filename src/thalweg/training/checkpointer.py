"""What of a run goes to disk and comes back: checkpoints at their times, the best weights, and the way to the newest.

`checkpoint` is the file's form; here is what a run under way puts into it. Every rank goes through the same motions,
so that they stay in step, and rank 0 alone writes.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.modules.sharded import is_sharded, load_whole, whole
from thalweg.training.averaging import WeightAverage
from thalweg.training.checkpoint import (
    latest_checkpoint,
    load_weights,
    pack_optimizer,
    save_checkpoint,
    save_weights,
    unpack_optimizer,
)
from thalweg.training.companion import Companion
from thalweg.training.device import Device, move
from thalweg.training.progress import ADDED_LATER, State
from thalweg.training.ranks import ALONE, Ranks

__all__ = ["Checkpointer"]


class Checkpointer:
    """Keeps a run's folder of checkpoints.

    Args:
        folder: The run's `checkpoints/`.
        state: Where the run is; changed in place when it goes back.
        module: The network being trained.
        average: The moving average of its weights, or None.
        optimizer: Its optimizer.
        companion: Whoever sits in and is kept too, or None.
        ranks: With whom the run is shared.
    """

    def __init__(
        self,
        folder: Path,
        state: State,
        *,
        module: torch.nn.Module,
        average: WeightAverage | None,
        optimizer: torch.optim.Optimizer,
        companion: Companion | None,
        ranks: Ranks = ALONE,
    ) -> None:
        self.folder, self.state, self.ranks = folder, state, ranks
        self.module, self.average, self.optimizer, self.companion = module, average, optimizer, companion
        self._whole: torch.nn.Module | None = None
        self._saved_at = 0.0
        self._best_of_last_checkpoint = 0

    @property
    def evaluated(self) -> torch.nn.Module:
        """The network that is evaluated and saved: the average where there is one."""
        return self._whole or (self.average.module if self.average else self.module)

    @property
    def age(self) -> float:
        """Seconds of the run since the last checkpoint."""
        return self.state.seconds - self._saved_at

    def save(self) -> str:
        """Write a checkpoint, unless something in it is not finite.

        Returns:
            The first tensor that is not finite, in which case nothing was written; empty where all is.
        """
        state = self.state
        tensors = {
            f"{prefix}{name}": value for prefix, each in self._networks() for name, value in each.state_dict().items()
        }
        tensors |= pack_optimizer(self.module, self.optimizer)
        if is_sharded(self.module):
            tensors = self._in_one_piece(tensors)
        if self.companion:
            self.companion.flush()
            state.monitor, kept = self.companion.pack()
            tensors |= {f"monitor{name}": value for name, value in kept.items()}
        for name, value in tensors.items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                return name.partition("/")[2]
        self._saved_at = state.seconds
        if not self.ranks.first:
            return ""
        position = {name: getattr(state, name) for name in state.__slots__}
        save_checkpoint(self.folder, state.step, tensors, position)
        needed = {self._best(epoch) for epoch in (state.best_epoch, self._best_of_last_checkpoint)}
        self._best_of_last_checkpoint = state.best_epoch
        for path in self.folder.glob("best-*.safetensors"):
            if path not in needed:  # the checkpoint before this one may yet have to serve
                path.unlink(missing_ok=True)
        return ""

    def save_best(self) -> None:
        """Write the weights of the epoch under way, which is the best so far."""
        state = self.evaluated.state_dict()
        if is_sharded(self.evaluated):
            state = self._in_one_piece(state)
        if self.ranks.first:
            save_weights(state, self._best(self.state.epoch))

    def use_best(self) -> None:
        """Put the weights of the best epoch into `evaluated`."""
        load_weights(self.evaluated, self._best(self.state.best_epoch))

    def put_together(self, frame: torch.nn.Module, device: Device) -> None:
        """At the end rank 0 needs `evaluated` in one piece, for scores and report; it is made from the shards of all.

        Args:
            frame: The network without weights.
            device: Where rank 0 goes on.
        """
        state = self._in_one_piece(self.evaluated.state_dict())
        self.optimizer.state.clear()  # of no use any more, and twice as large as the weights
        if self.ranks.first:
            frame.load_state_dict(state, assign=True)
            self._whole = move(frame, device).requires_grad_(requires_grad=False)

    def go_back(self) -> list[str] | None:
        """Go back to the newest whole checkpoint.

        Returns:
            A sentence for every damaged checkpoint that was passed over; None where there is no checkpoint.

        Raises:
            RunError: The checkpoint is of another network, or of another version.
        """
        found = self._latest()
        if found is None:
            return None
        tensors, position, complaints = found
        for prefix, module in self._networks():
            part = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            try:
                load_whole(module, part) if is_sharded(module) else module.load_state_dict(part)
            except RuntimeError as error:
                why = str(error).splitlines()[-1].strip()
                raise RunError(f"{printable(self.folder)}: the checkpoint is of another network: {why}") from None
        unpack_optimizer(self.module, self.optimizer, tensors)
        state = self.state
        if set(position) | ADDED_LATER != set(state.__slots__):
            raise RunError(f"{printable(self.folder)}: the checkpoint is of another version of thalweg: train anew")
        for name, value in position.items():  # JSON has no infinity and no nan
            setattr(state, name, math.inf if name == "best_loss" and value is None else value)
        state.rows = [{key: math.nan if value is None else value for key, value in row.items()} for row in state.rows]
        if self.companion and state.monitor:
            kept = {key.removeprefix("monitor"): value for key, value in tensors.items() if key.startswith("monitor/")}
            self.companion.unpack(state.monitor, kept)
        self._saved_at = state.seconds
        self._best_of_last_checkpoint = state.best_epoch
        return complaints

    def _in_one_piece(self, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Gather shards one by one; rank 0 keeps what comes out, in its main memory, and others a number of each."""
        found = {}
        with self.ranks.noticing():
            for name, value in tensors.items():
                gathered = whole(value).detach()
                found[name] = gathered.to("cpu") if self.ranks.first else gathered.abs().max()  # finite or not
        return found

    def _networks(self) -> Iterator[tuple[str, torch.nn.Module]]:
        """The networks in a checkpoint, with what the names of their tensors begin with."""
        yield "model/", self.module
        if self.average:
            yield "average/", self.average.module

    def _best(self, epoch: int) -> Path:
        return self.folder / f"best-{epoch:06d}.safetensors"

    def _latest(self) -> tuple[dict[str, torch.Tensor], dict[str, object], list[str]] | None:
        """The newest whole checkpoint, as rank 0 finds it: the others need not see the disk."""
        found: tuple[dict[str, torch.Tensor], dict[str, object], list[str]] | None = None

        def look() -> str:
            nonlocal found
            found = latest_checkpoint(self.folder)
            return json.dumps(None if found is None else found[1:])

        told = self.ranks.from_first(look)
        if self.ranks.size == 1 or told == "null":
            return found
        position, complaints = json.loads(told)
        return self.ranks.tensors_of_first(found and found[0]), position, complaints
