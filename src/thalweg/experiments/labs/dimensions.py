"""When does the third axis earn its cost? Clips as frames, stacked frames, 3-D and 1-D, at equal parameters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Drawing, Table
from thalweg.core.shape import Shape
from thalweg.experiments.clips import FRAMES, SIDE, TASKS, clips
from thalweg.experiments.data import LabData, LabPart, lab_data
from thalweg.experiments.dimension_networks import WAYS, arranged, way_network
from thalweg.experiments.foreseen import foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.sizing import cost_of, nearest_width, said_cost
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import RECIPE, Trained, Variant, accuracies, train_variants, works_of
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.figures.maps import MapTile, draw_maps

__all__ = ["LAB"]

CLIPS, HELD_OUT = 300, 400
QUICK, FULL = (10, 3), (20, 5)
"""Epochs and seeds."""
TIMING = 2.0
"""Seconds that timing may take."""
WIDTH = 6
"""Of the 3-D network; the others get the width at which they have as many parameters."""
MARGIN = 0.03
"""What an accuracy may lose and still count as as good."""
SIDES, MOST = (16, 32), (300, 1200)
"""Longest axis and training samples of a source of the user's, quick and full."""
_WHAT = {
    "shape": "one frame is enough",
    "motion": "only movement decides",
    "moment": "a short movement at a random time decides",
}
_LIMITS = (
    "The clips are made up: small, one moving dot, white noise. Real clips hold backgrounds and cameras that move.",
    "One recipe and one rate for all: a way that wants another one is judged too low.",
    "Intervals tell how much seeds matter; that the held-out samples are a sample, too, is not in them.",
    "Equal parameters are not equal cost: windows that slide along time are used at more places, as the MACs show.",
    "Networks pretrained on pictures or on large sets of clips change the comparison.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tasks:
    data: Mapping[str, LabData]
    said: Mapping[str, str]
    clip: Shape
    classes: int
    shown: Drawing | None


def _run(request: LabRequest) -> LabResult:
    epochs, seeds = QUICK if request.quick else FULL
    tasks = _own(request.seed) if request.source is None else _of_user(request)
    target = cost_of(way_network("3-D", tasks.clip, tasks.classes, WIDTH), "parameters")
    specs = {}
    for way in WAYS:

        def make(width: int, way: str = way) -> NetworkSpec:
            return way_network(way, tasks.clip, tasks.classes, width)

        specs[way] = make(nearest_width(make, target, "parameters"))
    data = {_key(task, way): _laid_out(way, held) for task, held in tasks.data.items() for way in WAYS}
    variants = [
        Variant(name=_key(task, way), spec=specs[way], epochs=epochs, data=_key(task, way))
        for task in tasks.data
        for way in WAYS
    ]
    foresee("dimensions", works_of(variants, data, seeds), request)
    found = train_variants(variants, data, seeds, request)
    seconds = answer_seconds(specs, seconds=TIMING)
    scores = {task: accuracies({way: found[_key(task, way)] for way in WAYS}) for task in tasks.data}
    findings = _own_findings(scores, specs) if request.source is None else _user_findings(scores, specs, tasks)
    return LabResult(
        name="dimensions",
        question="When does the third axis earn its cost: frames alone, frames stacked as channels, or 3-D windows?",
        setup=_setup(tasks, specs, epochs, seeds),
        table=_table(tasks, specs, found, scores, seconds),
        findings=findings,
        limits=_LIMITS if request.source is None else _LIMITS[1:],
        figures=(*((tasks.shown,) if tasks.shown else ()), _figure(tasks, specs, scores)),
    )


def _key(task: str, way: str) -> str:
    return f"{task}/{way}"


def _own(seed: int) -> _Tasks:
    data: dict[str, LabData] = {}
    for task in TASKS:
        parts = [
            LabPart(values=values, labels=labels)
            for values, labels in (clips(task, CLIPS, 2 * seed), clips(task, HELD_OUT, 2 * seed + 1))
        ]
        data[task] = LabData(source=task, classes=("left", "right"), train=parts[0], test=parts[1])
    rows = [
        [
            MapTile(label=f"{task}, frame {frame + 1}", values=data[task].train.values[0, frame, :, :, 0])
            for frame in (0, 1, 2, 3, 4)
        ]
        for task in TASKS
    ]
    return _Tasks(
        data=data,
        said=_WHAT,
        clip=Shape(1, (FRAMES, SIDE, SIDE)),
        classes=2,
        shown=draw_maps("The first frames of one clip of each kind", rows),
    )


def _of_user(request: LabRequest) -> _Tasks:
    number = 0 if request.quick else 1
    data = lab_data(request.source, side=SIDES[number], listener=request.listener, most=MOST[number], seed=42)
    name = printable(data.source)
    if data.shape.axes != 3:  # noqa: PLR2004 - what the question is about
        kinds = {1: "signals", 2: "pictures"}
        raise SourceError(
            f"{name} holds {kinds[data.shape.axes]}: this experiment compares ways to look at clips or volumes "
            f"(class folders of numbered frames, .npz, .npy), or takes its own clips without a source"
        )
    if min(data.shape.extents[1:]) < 8:  # noqa: PLR2004 - two poolings
        raise SourceError(f"{name}: frames of {data.shape} are too small, 8 x 8 are the least here")
    frames = data.shape.extents[0]
    middle = data.train.values[0][..., 0]
    row = [
        MapTile(label=f"place {place + 1} of {frames}", values=middle[place])
        for place in sorted({0, frames // 4, frames // 2, 3 * frames // 4, frames - 1})
    ]
    return _Tasks(
        data={"source": data},
        said={"source": data.said()},
        clip=data.shape,
        classes=len(data.classes),
        shown=draw_maps("One sample, cut across its first axis", [row]),
    )


def _laid_out(way: str, data: LabData) -> LabData:
    parts = [LabPart(values=arranged(way, part.values), labels=part.labels) for part in (data.train, data.test)]
    return LabData(source=data.source, classes=data.classes, train=parts[0], test=parts[1])


def _own_findings(scores: Mapping[str, Seeds], specs: Mapping[str, NetworkSpec]) -> tuple[LabFinding, ...]:
    macs = {way: cost_of(spec, "macs") for way, spec in specs.items()}
    shape, motion, moment = (scores[task] for task in TASKS)
    alone, stacked, full, both = "frames alone", "frames stacked", "3-D", "(2+1)-D"
    ends = motion.interval(alone) or (0.0, 1.0)
    chance = ends[0] <= 0.5 <= ends[1] or ends[1] < 0.55  # noqa: PLR2004 - of two classes
    return (
        LabFinding(
            claim="Motion that no single frame shows is out of reach for a network that looks at frames singly",
            verdict=motion.better(full, alone) if chance else "undecided",
            observed=f"frames alone {motion.said(alone)}, where guessing gives 0.500; 3-D {motion.said(full)} with as "
            f"many parameters",
            fails=f"where one frame decides it sees what 3-D sees: {shape.said(alone)} against {shape.said(full)}",
        ),
        LabFinding(
            claim="Motion needs 3-D windows: stacking frames as channels is not enough",
            verdict=motion.better(full, stacked, by=MARGIN),
            observed=f"steady motion: stacked {motion.said(stacked)}, 3-D {motion.said(full)}, for "
            f"{macs[full] / macs[stacked]:.1f} times the MACs ({said_cost(macs[stacked])} against "
            f"{said_cost(macs[full])}); more than {MARGIN:g} would support the claim",
            fails="stacking sees motion wherever its first windows cover the step from frame to frame",
        ),
        LabFinding(
            claim="The third axis earns its cost where movement may begin at any time",
            verdict=moment.better(full, stacked),
            observed=f"a short movement at a random time: 3-D {moment.said(full)}, stacked {moment.said(stacked)}, "
            f"difference {moment.against(full, stacked)}; windows that slide along time learn a movement once for "
            f"all times, stacked frames once for each",
            fails=f"(2+1)-D windows do it too: {moment.said(both)} for {said_cost(macs[both])} MACs",
        ),
        LabFinding(
            claim="Where a frame decides, the third axis costs and brings nothing",
            verdict=shape.as_good(alone, full, margin=MARGIN),
            observed=f"shape: 3-D {shape.said(full)}, frames alone {shape.said(alone)}, difference "
            f"{shape.against(full, alone)}, for {macs[full] / macs[alone]:.2f} times the MACs; as good means within "
            f"{MARGIN:g}",
            fails=f"stacked frames, the cheapest in 2-D, get {shape.said(stacked)}",
        ),
    )


def _user_findings(
    scores: Mapping[str, Seeds], specs: Mapping[str, NetworkSpec], tasks: _Tasks
) -> tuple[LabFinding, ...]:
    macs = {way: cost_of(spec, "macs") for way, spec in specs.items()}
    found = scores["source"]
    flat = max(("frames alone", "frames stacked"), key=found.mean)
    best = max(WAYS, key=found.mean)
    return (
        LabFinding(
            claim="The third axis earns its cost on this source",
            verdict=found.better("3-D", flat),
            observed=f"3-D {found.said('3-D')} for {said_cost(macs['3-D'])} MACs, {flat} {found.said(flat)} for "
            f"{said_cost(macs[flat])}: difference {found.against('3-D', flat)}; the largest class alone gives "
            f"{tasks.data['source'].majority:.3f}",
            fails=f"best of all was {best} with {found.said(best)}",
        ),
        LabFinding(
            claim="What single frames show decides on this source",
            verdict=found.as_good("frames alone", "3-D", margin=MARGIN),
            observed=f"frames alone {found.said('frames alone')} against 3-D {found.said('3-D')}; as good means "
            f"within {MARGIN:g}",
        ),
    )


def _setup(tasks: _Tasks, specs: Mapping[str, NetworkSpec], epochs: int, seeds: int) -> dict[str, str]:
    first = next(iter(tasks.data.values()))
    return {
        **{f"task: {task}": words for task, words in tasks.said.items()},
        "samples": f"{tasks.clip} (channels x frames x height x width); {len(first.train):,} to train on, "
        f"{len(first.test):,} held out",
        **{f"way: {way}": words for way, words in WAYS.items()},
        "networks": "three convolutions with normalisation and ReLU, pooling over space, mean over all places, one "
        "dense layer; widths chosen for equal parameters: "
        + ", ".join(f"{way} {cost_of(spec, 'parameters'):,}" for way, spec in specs.items()),
        "training": f"{epochs} epochs; {RECIPE}",
        "seeds": f"{seeds}; intervals are 95 %, by Student's t; of a mean with the spread pooled within a task",
        "time": "one sample in batches of 16, without gradients, on one core, lower quartile",
    }


def _table(
    tasks: _Tasks,
    specs: Mapping[str, NetworkSpec],
    found: Mapping[str, Sequence[Trained]],
    scores: Mapping[str, Seeds],
    seconds: Mapping[str, float],
) -> Table:
    rows = []
    for task in tasks.data:
        for way, spec in specs.items():
            runs = found[_key(task, way)]
            rows.append((
                f"{task}: {way}",
                scores[task].said(way),
                f"{sum(each.train_accuracy for each in runs) / len(runs):.3f}",
                f"{cost_of(spec, 'parameters'):,}",
                said_cost(cost_of(spec, "macs")),
                f"{1e6 * seconds[way]:.0f}",
                f"{min(each.seconds for each in runs):.1f}",
            ))
    return Table(
        caption="Accuracy on held-out samples with its 95 % interval over seeds, and what each way costs",
        header=("network", "accuracy", "in training", "parameters", "MACs", "time, us", "training, s"),
        rows=tuple(rows),
    )


def _figure(tasks: _Tasks, specs: Mapping[str, NetworkSpec], scores: Mapping[str, Seeds]) -> Drawing:
    dots = []
    for task in tasks.data:
        dots.append(Dot(label=f"{task}: {tasks.said[task]}" if task in _WHAT else printable(tasks.data[task].source), value=None))  # fmt: skip  # noqa: E501
        for way, spec in specs.items():
            low, high = scores[task].interval(way) or (None, None)
            note = f"{said_cost(cost_of(spec, 'macs'))} MACs"
            dots.append(Dot(label=way, value=scores[task].mean(way), low=low, high=high, note=note))
    return draw_dots(
        "Accuracy of each way with its 95 % interval over seeds; at the end of a row the mean, and the MACs a sample",
        "share of held-out samples that is right",
        dots,
    )


LAB = Lab(
    question="When does the third axis earn its cost: frames alone, frames stacked as channels, or 3-D windows?",
    run=_run,
    takes_source=True,
)
