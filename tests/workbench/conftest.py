"""What several tests of this room share."""

import contextlib
import signal

import pytest

from thalweg.training.loop import Trainer


@pytest.fixture
def stop_after(monkeypatch):
    """A context in which a run is asked to stop, as Ctrl-C does, once it has done so many steps."""
    asked = Trainer._is_stopped

    @contextlib.contextmanager
    def stopping(steps):
        def is_stopped(self, interruption, among_ranks):
            if self.state.step >= steps:
                interruption.signum = signal.SIGINT
            return asked(self, interruption, among_ranks)

        with monkeypatch.context() as patch:
            patch.setattr(Trainer, "_is_stopped", is_stopped)
            yield

    return stopping
