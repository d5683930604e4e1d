"""Watching a training of transformers, with two lines.

from thalweg.integrations.transformers import ThalwegCallback
Trainer(model, arguments, callbacks=[ThalwegCallback()], ...).train()
"""

from functools import cache
from typing import Any

from thalweg.integrations.watching import Watching, loaded

__all__ = ["ThalwegCallback"]  # noqa: F822 - made by __getattr__ when it is asked for


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class that transformers must be loaded for
    if name != "ThalwegCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _callback_class()


@cache
def _callback_class() -> type:
    base: Any = loaded("transformers", install="transformers accelerate").TrainerCallback

    class ThalwegCallback(Watching, base):  # type: ignore[misc]
        """Watches a training from inside and tells at its end what was wrong.

        Args:
            options: `repair`, `log`, `every`, `trials`, `say`, as of `thalweg.integrations.watching.Watching`.
        """

        def __init__(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            Watching.__init__(self, **options)
            base.__init__(self)

        def on_train_begin(self, args: Any, state: Any, control: Any, **kept: Any) -> None:  # noqa: ANN401, ARG002
            """Begin."""
            if kept.get("model") is not None and kept.get("optimizer") is not None:
                self.begin(kept["model"], kept["optimizer"], steps=state.max_steps or None)

        def on_train_end(self, args: Any, state: Any, control: Any, **kept: Any) -> None:  # noqa: ANN401, ARG002
            """Tell what was found."""
            self.end()

    return ThalwegCallback
