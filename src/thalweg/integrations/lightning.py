"""Watching a training of Lightning, with two lines.

    from thalweg.integrations.lightning import ThalwegCallback
    Trainer(callbacks=[ThalwegCallback()]).fit(module)

Lightning calls `training_step`, which calls whatever network it likes. The network is found at the first step: the
first module called that holds most of the trained weights.
"""

import sys
from functools import cache
from typing import Any

from thalweg.integrations.watching import Watching, loaded

__all__ = ["ThalwegCallback"]  # noqa: F822 - made by __getattr__ when it is asked for


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a class that Lightning must be loaded for
    if name != "ThalwegCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _callback_class()


@cache
def _callback_class() -> type:  # noqa: C901 - a class with its hooks, made when its library is there
    names = ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks")
    asked = sorted(names, key=lambda each: each.partition(".")[0] not in sys.modules)
    base: Any = loaded(*asked, install="lightning").Callback

    class ThalwegCallback(Watching, base):  # type: ignore[misc]
        """Watches a training from inside and tells at its end what was wrong.

        Args:
            options: `repair`, `log`, `every`, `trials`, `say`, as of `thalweg.integrations.watching.Watching`.
        """

        def __init__(self, **options: Any) -> None:  # noqa: ANN401 - passed on
            Watching.__init__(self, **options)
            base.__init__(self)
            self._handles: list[Any] = []
            self._stand_in: Any = None

        def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401 - Lightning's
            """Wait for the network to be called."""
            from thalweg.integrations.stand_in import StandIn

            if not trainer.optimizers:
                return
            optimizer = max(trainer.optimizers, key=_size)
            self._stand_in = StandIn.of(optimizer)
            self._handles = [optimizer.register_step_post_hook(lambda *_: self._stand_in.end())]
            total = trainer.estimated_stepping_batches
            steps = int(total) if 0 < total < float("inf") else None
            held = {id(weight) for group in optimizer.param_groups for weight in group["params"]}
            self._wait_for_network(pl_module, held, steps)

        def _wait_for_network(self, root: Any, held: set[int], steps: int | None) -> None:  # noqa: ANN401
            waiting: list[Any] = []

            def first(module: Any, _: Any) -> None:  # noqa: ANN401 - a module and its input
                own = sum(weight.numel() for weight in module.parameters() if id(weight) in held)
                whole = sum(weight.numel() for weight in root.parameters() if id(weight) in held)
                if self.watch is None and module.training and 2 * own >= whole > 0:
                    for handle in waiting:
                        handle.remove()
                    self.begin(module, self._stand_in, steps=steps)

            waiting.extend(module.register_forward_pre_hook(first) for module in root.modules())
            self._handles.extend(waiting)

        def on_before_optimizer_step(self, trainer: Any, pl_module: Any, optimizer: Any) -> None:  # noqa: ANN401, ARG002
            """Gradients are there."""
            if self._stand_in is not None and getattr(optimizer, "optimizer", optimizer) is self._stand_in.real:
                self._stand_in.begin()

        def on_train_end(self, trainer: Any, pl_module: Any) -> None:  # noqa: ANN401, ARG002 - Lightning's
            """Tell what was found."""
            self.end()
            self._clear()

        def on_exception(self, trainer: Any, pl_module: Any, exception: Any) -> None:  # noqa: ANN401, ARG002
            """Tell it also where training broke off."""
            self.end()
            self._clear()

        def _clear(self) -> None:
            for handle in self._handles:
                handle.remove()
            self._handles = []

    return ThalwegCallback


def _size(optimizer: Any) -> int:  # noqa: ANN401 - an optimizer
    return sum(weight.numel() for group in optimizer.param_groups for weight in group["params"])
