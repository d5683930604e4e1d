"""Keras's printed progress, as a console shows it and as redirecting it to a file leaves it."""

import contextlib
import io
import os
import pty
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import keras as library
from points import points
from with_keras import _model, _plain

callbacks = library.callbacks


def keras_console(out: Path) -> dict:
    """Write what `fit` prints: redirected, one line an epoch, in a terminal, and with what people print between."""
    x, y = points()
    held = points(48, seed=1)
    options = {"validation_data": held, "batch_size": 16}
    truth = {}

    def redirected() -> dict:
        return _plain(_model(0.1).fit(x, y, epochs=6, verbose=1, **options))

    def lines() -> dict:
        return _plain(_model(0.1).fit(x, y, epochs=6, verbose=2, **options))

    def between() -> dict:
        model = _model(0.1)
        model.summary()
        print("2026-11-29 10:00:00.000000: I tensorflow/core/platform/cpu_feature_guard.cc:210] optimized")
        stop = callbacks.ReduceLROnPlateau(patience=1, verbose=1, min_delta=0.2)
        saved = callbacks.ModelCheckpoint("best.keras", save_best_only=True, verbose=1)
        run = model.fit(x, y, epochs=5, verbose=1, callbacks=[stop, saved], **options)
        model.evaluate(*held, batch_size=16, verbose=1)
        model.predict(held[0], verbose=1)
        print("Test accuracy: 0.99")
        return _plain(run)

    def folds() -> list[dict]:
        return [_plain(_model(rate).fit(x, y, epochs=4, verbose=2, **options)) for rate in (0.001, 0.3)]

    def frequent() -> dict:
        return _plain(_model(0.1).fit(x, y, epochs=6, verbose=2, validation_freq=2, **options))

    for name, work in (
        ("redirected.log", redirected), ("lines.txt", lines), ("between.log", between), ("folds.txt", folds),
        ("every_second.txt", frequent),
    ):  # fmt: skip
        written = io.StringIO()
        with contextlib.redirect_stdout(written):
            truth[name] = work()
        (out / name).write_text(written.getvalue(), encoding="utf-8", newline="")
    truth["terminal.log"] = _in_terminal(out / "terminal.log", redirected)
    return truth


def _in_terminal(path: Path, work: Callable[[], dict]) -> dict:
    """Run with a terminal as standard output and keep every byte it was sent, as `script` does."""
    ours, theirs = pty.openpty()
    kept: list[bytes] = []

    def keep() -> None:
        with contextlib.suppress(OSError):
            while part := os.read(ours, 65536):
                kept.append(part)

    reader = threading.Thread(target=keep)
    reader.start()
    before = sys.stdout
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        sys.stdout = terminal
        try:
            found = work()
        finally:
            sys.stdout = before
    reader.join()
    os.close(ours)
    path.write_bytes(b"".join(kept))
    return found
