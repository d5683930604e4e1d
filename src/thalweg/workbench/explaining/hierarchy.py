"""What the stages of a network respond to: their maps of a sample, and the patches of the data that excite them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from thalweg.accounting.receptive_field import Field
from thalweg.core.explanation import Stage, TopPatches
from thalweg.core.report import Picture, PictureGrid
from thalweg.data.batching.batches import as_tensor
from thalweg.explanation.activation import activations
from thalweg.explanation.patches import Responses, responses
from thalweg.workbench.answering.model import TrainedModel, in_groups
from thalweg.workbench.explaining.pictures import bright_tile, filter_tiles, patch_sheet
from thalweg.workbench.explaining.samples import Chosen, as_taken
from thalweg.workbench.explaining.stages import Place
from thalweg.workbench.loading.loading import Loaded

__all__ = ["Searched", "first_filters", "search", "seen_stages"]

MAPS, CHANNELS, PATCHES = 9, 5, 9
_ALIKE = 0.9
"""Channels whose answers correlate more than this show the same: one of them is enough."""
_GROUP = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Searched:
    """Samples that were searched for what excites channels.

    Args:
        files: Their files.
        rows: Their rows in the cache.
        pixels: The cache.
        found: By layer.
        said: How many samples of which split.
    """

    files: tuple[str, ...]
    rows: tuple[int, ...]
    pixels: np.ndarray
    found: dict[str, Responses]
    said: str


def search(model: TrainedModel, loaded: Loaded, places: Sequence[Place], most: int, seed: int) -> Searched:
    """Run training samples through the network and keep where each channel is strongest.

    Args:
        model: The network.
        loaded: The run's data.
        places: Its stages.
        most: How many samples.
        seed: Which ones.

    Returns:
        What was found.
    """
    row = dict(zip(loaded.files, (int(each) for each in loaded.rows), strict=True))
    train = [file for file in model.summary.train if file in row]
    chosen = [train[at] for at in np.random.default_rng((seed, 37)).permutation(len(train))[:most]]
    rows = [row[file] for file in chosen]
    pixels = loaded.pictures.pixels

    def batches() -> Iterator[torch.Tensor]:
        for some in in_groups(rows, _GROUP):
            block = np.stack([np.asarray(pixels[each]) for each in some])
            yield as_tensor(as_taken(block, model.shape.channels)).float().to(model.device.kind)

    found = responses(model.module, [place.layer for place in places], batches()) if rows else {}
    said = f"{len(rows):,} of {len(train):,} training {loaded.form}s" if found else ""
    return Searched(files=tuple(chosen), rows=tuple(rows), pixels=pixels, found=found, said=said)


def seen_stages(
    model: TrainedModel, places: Sequence[Place], sample: Chosen, searched: Searched | None
) -> tuple[tuple[Stage, ...], dict[int, PictureGrid], dict[int, PictureGrid]]:
    """The stages, with the maps of a sample and the patches that excite them.

    Args:
        model: The network.
        places: Its stages.
        sample: Whose maps are shown.
        searched: What was searched for patches, or None.

    Returns:
        The stages; pictures of maps and of patches by the number of the stage.
    """
    x = as_tensor(sample.values[None]).float().to(model.device.kind)
    maps = activations(model.module, [place.layer for place in places], x)
    stages, shown, patches = [], {}, {}
    for place in places:
        own = maps[place.layer][0].float().cpu()
        order = own.flatten(1).amax(1).argsort(descending=True, stable=True).tolist()
        strong = _different(order, own.flatten(1).numpy(), MAPS)
        shown[place.number] = PictureGrid(
            caption=f"Stage {place.number} on the first sample: {len(strong)} of its strongest maps that differ, "
            f"{_times(place.extents)} positions each",
            pictures=tuple(bright_tile(own[channel].numpy(), f"channel {channel}") for channel in strong),
            small=True,
        )
        found = None if searched is None else searched.found.get(place.layer)
        top: list[TopPatches] = []
        if searched is not None and found is not None:
            top, pictures = _patches(place, found, searched)
            if pictures:
                patches[place.number] = PictureGrid(
                    caption=f"Stage {place.number}: what excites its most telling channels most, nine patches each",
                    pictures=pictures,
                )
        stages.append(
            Stage(
                number=place.number,
                layer=place.layer,
                kind=place.row.kind,
                channels=len(own),
                extents=place.extents,
                receptive_field=place.row.receptive_field,
                stride=place.row.stride,
                silent=None if found is None else found.silent,
                strongest=tuple(int(channel) for channel in strong),
                patches=tuple(top),
            )
        )
    return tuple(stages), shown, patches


def _patches(place: Place, found: Responses, searched: Searched) -> tuple[list[TopPatches], tuple[Picture, ...]]:
    top, pictures = [], []
    for channel in _different(found.telling(found.peaks.shape[1]), found.peaks.T, CHANNELS):
        strongest = found.strongest(channel, PATCHES)
        top.append(
            TopPatches(
                channel=channel,
                files=tuple(searched.files[sample] for sample, _, _ in strongest),
                values=tuple(value for _, _, value in strongest),
            )
        )
        cut = [
            _cut(np.asarray(searched.pixels[searched.rows[sample]]), place.fields, position)
            for sample, position, _ in strongest
        ]
        pictures.append(patch_sheet(cut, f"channel {channel}"))
    return top, tuple(pictures)


def _different(order: Sequence[int], answers: np.ndarray, most: int) -> list[int]:
    """The first channels of an order that are not alike; `answers` has a row a channel."""
    kept: list[int] = []
    rows: list[np.ndarray] = []
    for channel in order[: 8 * most]:
        row = answers[channel].astype(np.float64) - answers[channel].mean()
        length = float(np.linalg.norm(row))
        if length > 0 and all(abs(float(row @ other)) < _ALIKE * length for other in rows):
            kept.append(channel)
            rows.append(row / length)
        if len(kept) == most:
            break
    return kept or list(order[:1])


def _cut(values: np.ndarray, fields: Sequence[Field], position: Sequence[int]) -> np.ndarray:
    """What a value sees of a sample, at most the half of each axis around its middle: there lies what counts."""
    window = []
    for extent, field, place in zip(values.shape[:-1], fields, position, strict=True):
        ends = field.at(place) or (0, extent - 1)
        middle = (ends[0] + ends[1]) / 2
        size = max(3, min(ends[1] - ends[0] + 1, -(-extent // 2)))
        first = min(max(0, round(middle - size / 2)), max(0, extent - size))
        window.append(slice(first, first + size))
    return values[tuple(window)]


def first_filters(model: TrainedModel, values: np.ndarray) -> PictureGrid | None:
    """The filters of the first convolution.

    Args:
        model: The network.
        values: A sample: if it is grey, a filter is the sum of its channels.

    Returns:
        Their pictures; None where there is no convolution that sees the input.
    """
    first = next((layer for layer in model.spec.layers if layer.kind.startswith("conv") and layer.shared is None), None)
    if first is None:
        return None
    weight = model.module.get_submodule(first.name).weight
    if not isinstance(weight, torch.Tensor) or weight.ndim < 3 or max(weight.shape[2:]) < 2:  # noqa: PLR2004 - a kernel
        return None
    grey = values.shape[-1] > 1 and bool((values == values[..., :1]).all())
    tiles = filter_tiles(weight, grey=grey)
    shown = f"the first {len(tiles)} of its {len(weight)}" if len(tiles) < len(weight) else f"all {len(weight)}"
    return PictureGrid(
        caption=f"Filters of the first convolution, {first.name} ({_times(weight.shape[2:])}), {shown}; grey is zero",
        pictures=tiles,
        small=True,
    )


def _times(extents: Sequence[int]) -> str:
    return " x ".join(map(str, extents))
