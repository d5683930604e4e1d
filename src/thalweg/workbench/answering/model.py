"""A finished run's network, ready to answer: what predict, evaluate and export share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary, Wanted
from thalweg.core.errors import RunError
from thalweg.core.files import printable
from thalweg.core.layer_kinds import output_shapes
from thalweg.core.live_state import read_live_state
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.plan import TrainingPlan
from thalweg.core.results import Prediction
from thalweg.core.run_folder import RunFolder
from thalweg.core.shape import Shape
from thalweg.data.batching.batches import as_tensor
from thalweg.modules.build import build
from thalweg.training.checkpoint import load_weights
from thalweg.training.device import Device, choose_device, move
from thalweg.training.loss import probabilities
from thalweg.training.within_memory import answer_within_memory
from thalweg.workbench.starting.precision import sound

__all__ = ["TrainedModel", "in_groups", "open_model"]

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A network with its weights, its classes and the plan it was trained by.

    Args:
        folder: The run.
        plan: Its plan.
        summary: Its data.
        spec: The network, with its final sigmoid or softmax.
        module: The network in evaluation mode, giving logits.
        device: Where it computes.
    """

    folder: RunFolder
    plan: TrainingPlan
    summary: DataSummary
    spec: NetworkSpec
    module: torch.nn.Module
    device: Device

    @property
    def shape(self) -> Shape:
        """Channels and size of a sample."""
        return next(iter(self.spec.inputs.values()))

    @property
    def side(self) -> int:
        """Side of the pictures it wants, in pixels, or the longest that an axis of other samples may be."""
        if self.summary.reading is None:
            return self.shape.extents[0]
        return self.plan.image_size or max(self.shape.extents)

    @property
    def size(self) -> int | tuple[int, int]:
        """Side, or width and height, that pictures are brought to; else as `side`."""
        return self.side if self.summary.masks is None else (self.shape.extents[1], self.shape.extents[0])

    @property
    def wanted(self) -> Wanted:
        """How other sources shall be read, so that their samples are as those of training were."""
        reading = self.summary.reading
        if reading is None:
            return replace(self.plan.wanted, shown=self.summary.shown)
        recordings = reading.kind == "wav"
        return Wanted(
            form="signals" if reading.form == "signal" else "volumes",
            window=self.plan.window,
            channels=reading.channels,
            extents=reading.raw_extents,
            rate_hz=reading.rate_hz if recordings else None,
        )

    @torch.inference_mode()
    def answer(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Probabilities of some decoded pictures.

        Args:
            pictures: uint8 `(side, side, 3)` each, or values `(*extents, channels)`.

        Returns:
            float32 `(N, K)`.
        """
        block = as_tensor(np.stack(pictures), device=self.device.kind)
        logits = answer_within_memory(self.module, block, self.device)
        return probabilities(logits).cpu().numpy()

    def predictions(
        self, files: Sequence[str], samples: Sequence[np.ndarray], broken: Mapping[int, str]
    ) -> Iterator[Prediction]:
        """Say what some samples show.

        Args:
            files: What each is called.
            samples: Those that can be read, as `answer` takes them.
            broken: Why the others cannot, by their position in `files`.

        Yields:
            One prediction a name.
        """
        rows = iter(self.answer(samples) if samples else ())
        for position, file in enumerate(files):
            if position in broken:
                yield Prediction(file=file, class_=None, error=broken[position])
            else:
                yield self.prediction(file, next(rows))

    def prediction(self, file: str, row: np.ndarray) -> Prediction:
        """Put the probabilities of a sample into words.

        Args:
            file: What it is called.
            row: float32 `(K,)`.

        Returns:
            Its most probable class, with the probability of each.
        """
        classes = self.summary.classes
        shares = {name: float(value) for name, value in zip(classes, row, strict=True)}
        return Prediction(file=file, class_=classes[int(np.argmax(row))], probabilities=shares)


def open_model(run: str | Path, *, device: str = "auto") -> TrainedModel:
    """Open a finished run.

    Args:
        run: The run folder.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        The network, ready to answer.

    Raises:
        RunError: There is no run, it is damaged, or it is not finished.
    """
    folder = RunFolder.open(Path(run))
    if not (folder.path / "model.safetensors").is_file():
        place = printable(folder.path)
        live = read_live_state(folder.path)
        if live is not None and live.phase == "failed" and live.message:
            raise RunError(f"{place} failed and has no network to answer with: {live.message}")
        raise RunError(f"{place} is not finished: thalweg resume {place} goes on with it")
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), printable(folder.path / "plan.toml"))
    spec = folder.read_network()
    compute = sound(choose_device(device), spec)
    summary = from_plain(DataSummary, folder.read_json("data.json"), "data.json")
    logits = spec.logits()[0]
    _check_classes(folder, summary, output_shapes(logits)[logits.outputs[0]].channels)
    module = build(logits, seed=0)
    try:
        load_weights(module, folder.path / "model.safetensors")
    except RunError as error:
        place = printable(folder.path)
        raise RunError(f"{error}; thalweg resume {place} writes it again") from None
    return TrainedModel(
        folder=folder,
        plan=plan,
        summary=summary,
        spec=spec,
        module=move(module, compute).eval(),
        device=compute,
    )


def _check_classes(folder: RunFolder, summary: DataSummary, values: int) -> None:
    """Refuse a folder whose files are not of one run: an answer would get another class's name."""
    names, told = len(set(summary.classes)), max(values, 2)  # one value tells two classes apart
    if not names == len(summary.classes) == told:
        raise RunError(
            f"{printable(folder.path)}: its network tells {told} classes apart, and data.json names {names}: these "
            "files are not of one run; copy the whole folder again"
        )


def in_groups(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Cut a sequence into groups.

    Args:
        items: What to cut.
        size: Items a group.

    Yields:
        The groups, the last one possibly smaller.
    """
    for start in range(0, len(items), size):
        yield items[start : start + size]
