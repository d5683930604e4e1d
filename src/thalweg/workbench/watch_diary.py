"""The diary of a watch: it writes the log, and says once what cannot be seen and what is not done."""

import contextlib
import logging
import weakref
from pathlib import Path
from typing import Protocol

from thalweg.core.errors import PlanError
from thalweg.core.files import printable
from thalweg.monitoring.instruments import Instruments
from thalweg.monitoring.record import Record
from thalweg.monitoring.seat import Seat
from thalweg.workbench.runs.signal_log import SignalLog, TableLog

__all__ = ["Able", "Diary"]

_LOG = logging.getLogger("thalweg")
_FLUSHED = 50
"""A log is written every so many steps."""
_UNSEEN = 20
"""After so many steps without a loss it is said that there is none."""


class Able(Protocol):
    """Who repairs or tries."""

    spent: float
    unable: str


class Diary:
    """Writes the log, and says once what cannot be seen."""

    table: TableLog | None = None
    layers: SignalLog | None = None

    def __init__(self, path: Path | None) -> None:
        self.record = Record()
        if path is not None:
            try:
                self.table = TableLog(path, self.record)
                self.layers = SignalLog(path.with_suffix(".signals.jsonl"), self.record)
                self.layers.cut_after(0)
            except OSError as error:
                raise PlanError(f"{printable(path)} cannot be written: {error.strerror}") from None

    def begin(self, seat: Seat, instruments: Instruments, able: list[Able]) -> None:
        """Take what is measured, and say at once what is not done.

        Args:
            seat: From where it is seen.
            instruments: What measures.
            able: Who acts, where asked for.
        """
        self.instruments, self.able = instruments, able
        self._seat = weakref.ref(seat)
        if self.table is not None and self.layers is not None:
            self.table.record = self.layers.record = instruments.record
            for each in (self.table, self.layers):  # whoever never closes the watch has the last steps nevertheless
                weakref.finalize(seat, _last_words, each)
        self._say_unable()

    def _say_unable(self) -> None:
        for each in [each for each in self.able if each.unable]:
            _LOG.warning("thalweg only measures: %s", each.unable)
            self.able.remove(each)

    def before_update(self, _: object) -> None:
        """Nothing to do."""

    def after_update(self, moment: object) -> None:
        """Write what is new, now and then."""
        step = int(getattr(moment, "step", 0)) + 1
        self._say_unable()
        seat = self._seat()
        if step == _UNSEEN and seat is not None and not seat.called:
            _LOG.warning(
                "thalweg sees updates and no call of this model (the loop calls something around it, a part of it, or "
                "a method that is not forward): gradients and weights are measured, loss and critical step are not; "
                "give watch what the loop calls, after torch.compile"
            )
        elif step == _UNSEEN and self.instruments.unseen_losses >= _UNSEEN - 1:
            _LOG.warning(
                "thalweg cannot see the loss of this loop (no loss module is called with the model's output, the "
                "gradient there does not tell which function it was, and no backward() begins at a number): gradients, "
                "weights and layers are measured, loss and critical step are not; a module such as torch.nn.MSELoss() "
                "is seen"
            )
        elif step == _UNSEEN and self.instruments.unknown_functions >= _UNSEEN - 1:
            _LOG.warning(
                "thalweg sees the numbers of this loop's loss, and not which function of the model's output it is: all "
                "is measured but the critical step; a module such as torch.nn.SmoothL1Loss() is seen wholly"
            )
        if step % _FLUSHED == 0:
            self._flush()

    def close(self) -> None:
        """Write the rest."""
        self._flush()

    def _flush(self) -> None:
        try:
            if self.table is not None and self.layers is not None:
                self.table.flush()
                self.layers.flush(self.instruments.facts)
        except OSError as error:  # a full disk ends the log, not the watching
            path = printable(self.table.path) if self.table else ""
            _LOG.warning("thalweg writes no longer to %s: %s", path, error.strerror)
            self.table = self.layers = None

    def state(self) -> dict[str, object]:
        """Nothing to keep."""
        return {}

    def restore(self, _: object) -> None:
        """Nothing to restore."""


def _last_words(log: TableLog | SignalLog) -> None:
    with contextlib.suppress(OSError):
        log.flush()
