"""What does each branch of an inception module bring? Each left out in turn; against one size of equal cost."""

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import torch

from thalweg.accounting.ledger import count
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Drawing, Table
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.dimension_words import as_tile, in_words_of
from thalweg.experiments.foreseen import foresee
from thalweg.experiments.inception_variants import BRANCHES, branched, held_within, single_size, window_gradient
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.seeds import Seeds, Verdict
from thalweg.experiments.sizing import cost_of, nearest_width, said_cost
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import RECIPE, Trained, Variant, accuracies, restored, train_variants, works_of
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.figures.maps import MapTile, draw_maps

__all__ = ["LAB"]

SIDE = 32
SAMPLES, EPOCHS, SEEDS = (400, 2000), (8, 20), (3, 5)
"""Quick, full."""
TIMING = 2.0
MARGIN = 0.02
"""What an accuracy may lose and still count as kept."""
FULL, BARE = "all branches", "all, no normalisation"
_LIMITS = tuple(
    """Two modules at half the width of thalweg's inception network; in deep networks branches may matter otherwise.
A network without a branch is also a smaller one: the table shows what it costs.
One recipe and one rate for all: a network without normalisation may want a lower rate and more epochs.
The effective field is that of trained weights on this data, at the middle of the map, on held-out pictures.
Intervals tell how much seeds matter; that the held-out pictures are a sample, too, is not in them.""".splitlines()
)


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    data = lab_data(request.source, side=SIDE, listener=request.listener, most=SAMPLES[number])
    specs = _specs(data)
    variants = [Variant(name=name, spec=spec, epochs=EPOCHS[number], keep=name == FULL) for name, spec in specs.items()]
    foresee("inception", works_of(variants, data, SEEDS[number]), request)
    found = train_variants(variants, data, SEEDS[number], request)
    seconds = answer_seconds(specs, seconds=TIMING)
    scores = accuracies(found)
    maps, fields = _seen(data, specs[FULL], found[FULL][0])
    result = LabResult(
        name="inception",
        question="What does each branch of an inception module bring?",
        setup={
            "data": data.said(),
            "networks": "a 3x3 convolution of 16 channels, then two modules with pooling between, mean over all "
            "places, one dense layer; in a module 8 channels from 1x1, 16 from 3x3 and 16 from 5x5 (each behind a 1x1 "
            "to 8), 8 from pooling",
            "normalisation": "each convolution once, after its ReLU; printed course code normalises one branch twice "
            "and one not at all",
            "pooling branch": "stride 1 and padding 'same', so that its map keeps the size of the others",
            "one size": "one convolution in place of each module, as wide as makes the MACs equal",
            "training": f"{EPOCHS[number]} epochs; {RECIPE}",
            "seeds": f"{SEEDS[number]}; intervals are 95 %, by Student's t",
            "effective field": "side of the square that holds 95 % of the squared gradient of the middle place with "
            "respect to the picture (after Luo et al. 2016), beside what is possible, counted layer by layer",
            "time": "one picture in batches of 16, without gradients, on one core, lower quartile",
        },
        table=_table(specs, found, scores, seconds),
        findings=_findings(specs, scores, seconds, fields),
        limits=_LIMITS,
        figures=(maps, _figure(specs, scores, seconds)),
    )
    return in_words_of(result, data.shape.axes)


def _specs(data: LabData) -> dict[str, NetworkSpec]:
    make = partial(branched, data.shape, len(data.classes))
    specs = {FULL: make()}
    for branch in BRANCHES:
        specs[f"without {branch}"] = make(branches=tuple(each for each in BRANCHES if each != branch))
    specs[BARE] = make(normalised=False)
    target = cost_of(specs[FULL], "macs")
    for kernel in (3, 5):
        one = partial(single_size, data.shape, len(data.classes), kernel)
        specs[f"only {kernel}x{kernel}"] = one(nearest_width(one, target, "macs", most=128))
    return specs


def _findings(
    specs: Mapping[str, NetworkSpec],
    scores: Seeds,
    seconds: Mapping[str, float],
    fields: Mapping[str, tuple[int, int]],
) -> tuple[LabFinding, ...]:
    removed = [f"without {branch}" for branch in BRANCHES]
    needed = [scores.better(FULL, name) for name in removed]
    spare = [scores.as_good(name, FULL, margin=MARGIN) for name in removed]
    every: Verdict = "undecided"
    if all(verdict == "supported" for verdict in needed):
        every = "supported"
    elif any(verdict == "supported" for verdict in spare) or any(verdict == "contradicted" for verdict in needed):
        every = "contradicted"
    single = max(("only 3x3", "only 5x5"), key=scores.mean)
    macs = {name: cost_of(spec, "macs") for name, spec in specs.items()}
    windows = [fields[branch][0] for branch in ("1x1", "3x3", "5x5")]
    seen = "; ".join(f"{branch} {held} of {most} possible pixels" for branch, (held, most) in fields.items())
    dearest = max(removed, key=lambda name: macs[FULL] - macs[name])
    return (
        LabFinding(
            claim="Every branch matters",
            verdict=every,
            observed="change when it is left out: "
            + "; ".join(f"{branch} {scores.against(f'without {branch}', FULL)}" for branch in BRANCHES)
            + f"; all branches {scores.said(FULL)}",
            fails=f"it is contradicted where a branch can go at no loss above {MARGIN:g}; dearest is "
            f"{dearest.removeprefix('without ')}: {1 - macs[dearest] / macs[FULL]:.0%} of the MACs",
        ),
        LabFinding(
            claim="Several sizes side by side are better than one size of equal cost",
            verdict=scores.better(FULL, single),
            observed=f"all branches {scores.said(FULL)} for {said_cost(macs[FULL])} MACs; "
            + "; ".join(
                f"{name} {scores.said(name)} for {said_cost(macs[name])}, {cost_of(specs[name], 'parameters'):,} parameters"  # noqa: E501
                for name in ("only 3x3", "only 5x5")
            )
            + f"; difference to {single} {scores.against(FULL, single)}",
            fails=f"equal MACs are not equal time: all branches take {1e6 * seconds[FULL]:.0f} us a picture, only 3x3 "
            f"{1e6 * seconds['only 3x3']:.0f}, only 5x5 {1e6 * seconds['only 5x5']:.0f}",
        ),
        LabFinding(
            claim="Batch normalisation makes the module learn better",
            verdict=scores.better(FULL, BARE),
            observed=f"with {scores.said(FULL)}, without {scores.said(BARE)}: {scores.against(FULL, BARE)}, after the "
            f"same epochs at the same rate",
            fails=f"it costs {1 - seconds[BARE] / seconds[FULL]:.0%} of the time here",
        ),
        LabFinding(
            claim="Each branch sees as far as its window",
            verdict="supported"
            if windows[0] < windows[1] < windows[2]
            else "undecided"
            if windows[0] <= windows[1] <= windows[2]
            else "contradicted",
            observed=f"effective field of the first module's branches (95 % of the gradient): {seen}",
            fails="what is possible is not used evenly: gradients gather in the middle",
        ),
    )


def _seen(data: LabData, spec: NetworkSpec, trained: Trained) -> tuple[Drawing, dict[str, tuple[int, int]]]:
    module = restored(spec, trained.weights)
    pictures = data.test.inputs[:32]
    rows = {row.name: row for row in count(spec).rows}
    last = {
        branch: [layer.name for layer in spec.layers if layer.block == ("module1", name)][-1]
        for branch, name in BRANCHES.items()
    }
    caught: dict[str, np.ndarray] = {}
    handles = [
        module.get_submodule(name).register_forward_hook(
            lambda _, __, result, branch=branch: caught.__setitem__(branch, result[0].numpy())
        )
        for branch, name in last.items()
    ]
    with torch.inference_mode():
        module(pictures[:1])
    for handle in handles:
        handle.remove()
    above = [
        MapTile(label="a picture", values=as_tile(pictures[0].mean(dim=0).numpy()), note=f"{data.shape}, held out")
    ]
    below = [MapTile(label="what moves them", values=as_tile(pictures[0].mean(dim=0).numpy()), note="pixel by pixel")]
    fields = {}
    for branch, name in last.items():
        liveliest = caught[branch][int(caught[branch].reshape(len(caught[branch]), -1).std(axis=1).argmax())]
        energy = window_gradient(module, name, pictures)
        fields[branch] = (held_within(energy), rows[name].receptive_field[0])
        above.append(MapTile(label=branch, values=as_tile(liveliest), note=f"one of {len(caught[branch])} channels"))
        below.append(MapTile(label=f"{branch} sees", values=as_tile(np.sqrt(energy)), note=f"{fields[branch][0]} of {fields[branch][1]} pixels"))  # fmt: skip  # noqa: E501
    caption = "What each branch of the first module gives, and which pixels move the middle of its map"
    return draw_maps(caption, [above, below]), fields


def _table(
    specs: Mapping[str, NetworkSpec],
    found: Mapping[str, Sequence[Trained]],
    scores: Seeds,
    seconds: Mapping[str, float],
) -> Table:
    rows = tuple(
        (
            name,
            scores.said(name),
            "" if name == FULL else scores.against(name, FULL),
            f"{cost_of(spec, 'parameters'):,}",
            said_cost(cost_of(spec, "macs")),
            f"{1e6 * seconds[name]:.0f}",
            f"{min(each.seconds for each in found[name]):.1f}",
        )
        for name, spec in specs.items()
    )
    return Table(
        caption="Every network: accuracy on held-out pictures with its 95 % interval over seeds, and cost",
        header=("network", "accuracy", "against all", "parameters", "MACs", "time, us", "training, s"),
        rows=rows,
    )


def _figure(specs: Mapping[str, NetworkSpec], scores: Seeds, seconds: Mapping[str, float]) -> Drawing:
    dots = []
    for name, spec in specs.items():
        low, high = scores.interval(name) or (None, None)
        note = f"{said_cost(cost_of(spec, 'macs'))} MACs, {1e6 * seconds[name]:.0f} us"
        dots.append(Dot(label=name, value=scores.mean(name), low=low, high=high, note=note, hollow=name == FULL))
    return draw_dots(
        "Accuracy with its 95 % interval over seeds; hollow is the whole module",
        "share of held-out pictures that is right",
        dots,
    )


LAB = Lab(question="What does each branch of an inception module bring?", run=_run, takes_source=True)
