"""What do stride and padding cost and bring? Map size, receptive field, cost, time, accuracy and shifts."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.layer_cost import Ledger
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Curves, Drawing, Line, Table
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.dimension_words import as_tile, in_words_of
from thalweg.experiments.foreseen import foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.sizing import said_cost
from thalweg.experiments.stride_networks import MANNERS, changes_under_shift, stride_network
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import RECIPE, Trained, Variant, accuracies, restored, train_variants, works_of
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.figures.maps import MapTile, draw_maps

__all__ = ["LAB"]

SIDES, SAMPLES = (32, 48), (600, 1500)
EPOCHS, SEEDS, WIDTHS = (8, 16), (3, 5), (8, 16)
SHIFTS = (4, 8)
"""Pixels. Each pair: quick, full."""
TIMING = 2.0
MARGIN = 0.03
"""What an accuracy may lose and still count as kept."""
_LIMITS = tuple(
    """One shape of network, three 3x3 convolutions and a mean over all places, which itself forgives shifts.
Pictures are small; where they are large, thinning out early saves far more.
A shift repeats the edge; where something moves in truth, something new comes in there.
No shifts were trained on: augmentation makes every network steadier.
Intervals tell how much seeds matter; that the held-out pictures are a sample, too, is not in them.""".splitlines()
)


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    data = lab_data(request.source, side=SIDES[number], listener=request.listener, most=SAMPLES[number])
    specs = {manner: stride_network(data.shape, len(data.classes), manner, width=WIDTHS[number]) for manner in MANNERS}
    variants = [Variant(name=manner, spec=spec, epochs=EPOCHS[number], keep=True) for manner, spec in specs.items()]
    foresee("stride", works_of(variants, data, SEEDS[number]), request)
    found = train_variants(variants, data, SEEDS[number], request)
    request.listener.say("Moving held-out pictures by single pixels ...")
    changes = {
        manner: [
            changes_under_shift(restored(specs[manner], each.weights), data.test.inputs, SHIFTS[number])
            for each in runs
        ]
        for manner, runs in found.items()
    }
    seconds = answer_seconds(specs, seconds=TIMING)
    ledgers = {manner: count(spec) for manner, spec in specs.items()}
    scores = accuracies(found)
    moved = Seeds(values={manner: tuple(each[0] for each in runs) for manner, runs in changes.items()})
    result = LabResult(
        name="stride",
        question="What do stride and padding cost, and what do they bring?",
        setup={
            "data": data.said(),
            **{f"network: {manner}": words for manner, words in MANNERS.items()},
            "networks": f"three 3x3 convolutions ({WIDTHS[number]}, {2 * WIDTHS[number]}, {2 * WIDTHS[number]} "
            f"channels) with normalisation and ReLU, mean over all places, one dense layer",
            "training": f"{EPOCHS[number]} epochs; {RECIPE}; nothing is augmented",
            "seeds": f"{SEEDS[number]}; intervals are 95 %, by Student's t",
            "shift": f"held-out pictures moved by 1 to {SHIFTS[number]} pixels up, down, left and right; share of the "
            f"answers that is another than before",
            "time": "one picture in batches of 16, without gradients, on one core, lower quartile",
        },
        table=_table(ledgers, scores, moved, seconds),
        findings=_findings(ledgers, scores, moved, seconds, changes),
        limits=_LIMITS,
        figures=(
            _maps(data, specs, found),
            _shift_figure(changes),
            _accuracy_figure(ledgers, scores, seconds),
        ),
    )
    return in_words_of(result, data.shape.axes)


def _last_map(ledger: Ledger) -> tuple[str, int, int]:
    """Size of the last map, what one place of it sees, and how far neighbours are apart, in pixels."""
    row = [each for each in ledger.rows if each.kind.startswith("conv")][-1]
    return "x".join(map(str, row.output_shape.extents)), row.receptive_field[0], int(row.stride[0])


def _table(ledgers: Mapping[str, Ledger], scores: Seeds, moved: Seeds, seconds: Mapping[str, float]) -> Table:
    rows = []
    for manner, ledger in ledgers.items():
        size, field, stride = _last_map(ledger)
        rows.append((
            manner,
            size,
            str(field),
            str(stride),
            said_cost(ledger.macs or 0),
            f"{1e6 * seconds[manner]:.0f}",
            scores.said(manner),
            moved.said(manner),
        ))
    return Table(
        caption="Every network: its last map, what one place of it sees and how far places are apart (pixels), cost, "
        "accuracy, and answers that change when pictures move by one pixel",
        header=("network", "map", "sees", "apart", "MACs", "time, us", "accuracy", "changed"),
        rows=tuple(rows),
    )


def _findings(
    ledgers: Mapping[str, Ledger],
    scores: Seeds,
    moved: Seeds,
    seconds: Mapping[str, float],
    changes: Mapping[str, Sequence[Sequence[float]]],
) -> tuple[LabFinding, ...]:
    macs = {manner: ledger.macs or 0 for manner, ledger in ledgers.items()}
    whole, two, four, best, mean = "stride 1", "stride 2", "stride 4", "max pool", "mean pool"
    field = {manner: _last_map(ledger)[1] for manner, ledger in ledgers.items()}
    bare = "stride 2, no padding"
    three = ", ".join(f"{each} {moved.said(each)}" for each in (whole, two, four))
    return (
        LabFinding(
            claim="Stride can replace pooling: as accurate, and cheaper",
            verdict=scores.as_good(two, best, margin=MARGIN),
            observed=f"stride 2 {scores.said(two)}, max pool {scores.said(best)}, difference "
            f"{scores.against(two, best)}, for {macs[best] / macs[two]:.1f} times fewer MACs "
            f"({said_cost(macs[best])} to {said_cost(macs[two])}) and {seconds[best] / seconds[two]:.1f} times as fast",
            fails=f"as accurate means within {MARGIN:g}; after Springenberg et al. 2015",
        ),
        LabFinding(
            claim="Thinning out early is cheap, and costs accuracy",
            verdict=scores.better(two, four),
            observed=f"stride 4 at once {scores.said(four)} for {said_cost(macs[four])} MACs; stride 2 twice "
            f"{scores.said(two)} for {said_cost(macs[two])}; no stride {scores.said(whole)} for "
            f"{said_cost(macs[whole])}, {macs[whole] / macs[two]:.0f} times stride 2's, and "
            f"{seconds[whole] / seconds[two]:.0f} times its time",
        ),
        LabFinding(
            claim="A network that takes every second place changes its answers when pictures move by a pixel",
            verdict=moved.better(two, whole),
            observed=f"answers that change at 1 pixel: {three}; stride 2 against none {moved.against(two, whole)}",
            fails=f"stride 4 changes {_mean(changes[four], 1):.3f} at 2 and {_mean(changes[four], 3):.3f} at 4 pixels, "
            f"where it is back in step; even without stride the edges move",
        ),
        LabFinding(
            claim="Averaging before thinning out makes answers steadier under shifts than the largest value does",
            verdict=moved.better(best, mean),
            observed=f"changed at 1 pixel: mean pool {moved.said(mean)}, max pool {moved.said(best)}, stride 2 "
            f"{moved.said(two)}; accuracy {scores.said(mean)} against {scores.said(best)}",
            fails="after Zhang 2019; a mean of 2x2 is the smallest blur there is",
        ),
        LabFinding(
            claim="Padding keeps the map's size, and the accuracy is better for it",
            verdict=scores.better(two, bare),
            observed=f"last map {_last_map(ledgers[two])[0]} with, {_last_map(ledgers[bare])[0]} without; accuracy "
            f"{scores.said(two)} against {scores.said(bare)}: {scores.against(two, bare)}; with max pool "
            f"{scores.against(best, 'max pool, no padding')}",
            fails=f"without padding {macs[two] / macs[bare]:.1f} times fewer MACs; both see {field[two]} pixels",
        ),
        LabFinding(
            claim="Stride widens what one place sees, at no cost",
            verdict="supported" if field[two] > field[whole] and macs[two] < macs[whole] else "contradicted",
            observed=f"a place of the last map sees {field[whole]} pixels without stride, {field[two]} with stride 2, "
            f"{field[best]} with pooling, {field[four]} with stride 4 (counted layer by layer)",
            fails="places are then as many pixels apart as the strides multiplied: what is smaller may be missed",
        ),
    )


def _mean(runs: Sequence[Sequence[float]], place: int) -> float:
    return float(np.mean([each[min(place, len(each) - 1)] for each in runs]))


def _shift_figure(changes: Mapping[str, Sequence[Sequence[float]]]) -> Curves:
    shown = [manner for manner in changes if "no padding" not in manner]
    return Curves(
        caption="Answers that change when held-out pictures move, mean over seeds and four directions",
        x_label="shift, in pixels",
        y_label="share of the answers that is another",
        lines=tuple(
            Line(
                label=manner,
                x=tuple(float(pixels) for pixels in range(len(changes[manner][0]) + 1)),
                y=(0.0, *(float(value) for value in np.mean(changes[manner], axis=0))),
                dashed=bool(index % 2),
            )
            for index, manner in enumerate(shown)
        ),
    )


def _accuracy_figure(ledgers: Mapping[str, Ledger], scores: Seeds, seconds: Mapping[str, float]) -> Drawing:
    dots = []
    for manner, ledger in ledgers.items():
        low, high = scores.interval(manner) or (None, None)
        note = f"{said_cost(ledger.macs or 0)} MACs, {1e6 * seconds[manner]:.0f} us"
        dots.append(Dot(label=manner, value=scores.mean(manner), low=low, high=high, note=note))
    return draw_dots("Accuracy with its 95 % interval over seeds, and the cost of one picture", "share of held-out pictures that is right", dots)  # fmt: skip  # noqa: E501


def _maps(data: LabData, specs: Mapping[str, NetworkSpec], found: Mapping[str, Sequence[Trained]]) -> Drawing:
    picture = data.test.inputs[:1]
    rows = []
    for manner in ("stride 1", "stride 2", "stride 4", "max pool", "stride 2, no padding"):
        module = restored(specs[manner], found[manner][0].weights)
        maps: list[np.ndarray] = []
        names = [layer.name for layer in specs[manner].layers if layer.kind.startswith("conv")]
        handles = [
            module.get_submodule(name).register_forward_hook(
                lambda _, __, result, maps=maps: maps.append(result[0].clamp(min=0).numpy())
            )
            for name in names
        ]
        with torch.inference_mode():
            module(picture)
        for handle in handles:
            handle.remove()
        row = [MapTile(label=manner, values=as_tile(picture[0].mean(dim=0).numpy()), note=f"picture {data.shape}")]
        for name, each in zip(names, maps, strict=True):
            strongest = each[int(each.reshape(len(each), -1).std(axis=1).argmax())]
            row.append(
                MapTile(label=f"after {name}", values=as_tile(strongest), note="x".join(map(str, strongest.shape)))
            )
        rows.append(row)
    return draw_maps("One held-out picture, and the liveliest map after each convolution", rows)


LAB = Lab(question="What do stride and padding cost, and what do they bring?", run=_run, takes_source=True)
