"""Watching a training of Keras on torch, with two lines.

    from thalweg.integrations.keras import ThalwegCallback
    model.fit(x, y, callbacks=[ThalwegCallback()])

Keras calls neither torch's modules nor its optimizers as torch does, so their hooks never fire. For the time of the
training the model's `call` goes through a torch module and the optimizer's `apply` tells a stand-in; both are put back
at the end. What passes through single layers is not seen there.
"""

import logging
from functools import cache
from typing import Any

from thalweg.core.errors import PlanError
from thalweg.integrations.watching import Watching, loaded

__all__ = ["ThalwegCallback"]  # noqa: F822 - made by __getattr__ when it is asked for

_LOG = logging.getLogger("thalweg")


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class that Keras must be loaded for
    if name != "ThalwegCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _callback_class()


@cache
def _callback_class() -> type:  # noqa: C901 - a class with its hooks, made when its library is there
    keras = loaded("keras", install="keras torch")
    if keras.backend.backend() != "torch":
        raise PlanError(
            f"Keras runs on {keras.backend.backend()}: set KERAS_BACKEND=torch before it is imported; "
            "logs of any backend are read by thalweg diagnose"
        )
    base: Any = keras.callbacks.Callback

    class ThalwegCallback(Watching, base):  # type: ignore[misc]
        """Watches a training from inside and tells at its end what was wrong.

        Args:
            options: `log`, `every`, `say`, as of `thalweg.integrations.watching.Watching`; also `repair`, `trials`,
                which are answered with a warning.
        """

        def __init__(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            base.__init__(self)
            repair, trials = options.pop("repair", False), options.pop("trials", False)
            if repair or trials:
                _LOG.warning("thalweg only measures here: it cannot try steps of a Keras optimizer")
            Watching.__init__(self, **options)
            self._undo: list[Any] = []

        def on_train_begin(self, logs: Any = None) -> None:  # noqa: ANN401, ARG002 - Keras's
            """Wait for the first batch: before it a model may have no weights yet."""
            if self.model.built and self.model.optimizer is not None:
                self._seat(self.model)

        def _seat(self, model: Any) -> None:  # noqa: ANN401 - a Keras model
            from thalweg.integrations.keras_seat import seat_on, tell_losses

            params = self.params or {}
            steps = (params.get("steps") or 0) * (params.get("epochs") or 0) or None
            shell, stand_in, self._undo = seat_on(model)
            self.begin(shell, stand_in, steps=steps)
            if self.watch is not None:
                self._undo.append(tell_losses(model, self.watch.seat))

        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:  # noqa: ANN401, ARG002 - Keras's
            """Begin late where the model was built by its first batch."""
            if self.watch is None and not self._undo and self.model.built:
                self._seat(self.model)

        def on_train_end(self, logs: Any = None) -> None:  # noqa: ANN401, ARG002 - Keras's
            """Tell what was found, and put the model back."""
            self.end()
            for undo in self._undo:
                undo()
            self._undo = []

    return ThalwegCallback
