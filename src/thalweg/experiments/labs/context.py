"""Does global context help, and for which classes? No module against each of five; and how much context is used."""

from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.accounting.ledger import count
from thalweg.core.context_use import ContextUse
from thalweg.core.errors import PlanError
from thalweg.core.lab import LabResult
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Curves, Drawing, Line, Table
from thalweg.experiments.context_claims import best_module, gains, judge_context
from thalweg.experiments.context_networks import equal_networks, segmenters
from thalweg.experiments.context_of_run import context_of_run
from thalweg.experiments.context_runs import BATCH, SceneRun, SceneTrial, train_scene
from thalweg.experiments.context_scenes import SceneData, masked_pictures, scenes, shortest_distance
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.many import in_processes
from thalweg.experiments.pointwise_subject import is_run
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.sizing import said_cost
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import RATE, restored
from thalweg.rendering.figures.dots import Dot, draw_dots
from thalweg.rendering.figures.maps import MapTile, draw_maps
from thalweg.workbench.context_use import measure_context

__all__ = ["LAB"]

QUESTION = "Does global context help here, and for which classes?"
OF_RUN = "How much context does this network use?"
SIZES, PICTURES = ((48, 72), (64, 96)), ((160, 48), (400, 120))
"""Height and width of the scenes; how many are trained on and held out."""
STEPS, SEEDS, WIDTHS = (300, 1500), (3, 5), (12, 16)
SIDES, MOST, SOURCE_STEPS, SOURCE_SEEDS = (96, 240), (60, 400), (80, 1500), (2, 3)
"""Of a source of the user's. Each pair: quick, full."""
PLACES, LOOKED_AT = (12, 30), (12, 40)
CONTROL_STEPS, CONTROLS = (60, 400), (3, 9)
"""Of networks trained on crops: updates of each, and how many at most."""
TIMING = 2.0
_OF_SCENES = (
    "Scenes made here need far context by construction: they show that a module can bring it, no more.",
    "A shallow network was taken, whose windows end before the picture does; a deep encoder sees everything anyway.",
)
_LIMITS = tuple(
    """Equal cost means equal multiplications, within a few per cent; modules differ in what a multiplication takes.
One recipe for all, few steps: a module that learns slowly counts as one that does not help; more steps may change that.
Of many classes and modules, one difference in twenty is certain (95 %) by chance: look whether several modules agree.
Filled pictures are pictures that no network was trained on: where fills disagree, the fill speaks, not the context.
Intervals are over seeds: that the held-out pictures are a sample, too, is not in them.""".splitlines()
)


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    if is_run(request.source):
        return context_of_run(
            request,
            OF_RUN,
            pictures=LOOKED_AT[number],
            each=PLACES[number],
            steps=CONTROL_STEPS[number],
            most=CONTROLS[number],
        )
    if request.control:
        raise PlanError("--control is about a trained network: name the folder of a run that was trained with masks")
    data = _data(request, number)
    made = request.source is None
    classes = len(data.classes)
    specs = equal_networks(data.shape, classes, WIDTHS[number]) if made else segmenters(data.shape, classes)
    steps, seeds = (STEPS[number], SEEDS[number]) if made else (SOURCE_STEPS[number], SOURCE_SEEDS[number])
    works = [Work(spec=spec, steps=steps, batch=BATCH, trainings=seeds, at_speed=True) for spec in specs.values()]
    foresee("context", works, request)
    found = _trained(data, specs, steps, seeds, request)
    best = best_module(found)
    request.listener.say("Filling what lies beyond a radius ...")
    pixels, truth = data.pixels(LOOKED_AT[number])
    uses = {
        name: measure_context(
            restored(specs[name], found[name][0].weights),
            specs[name],
            pixels,
            truth,
            data.classes,
            each=PLACES[number],
            seed=request.seed,
            listener=request.listener,
        )
        for name in dict.fromkeys(("none", best))
    }
    seconds = answer_seconds(specs, seconds=TIMING)
    return LabResult(
        name="context",
        question=QUESTION,
        setup=_setup(data, specs, steps, seeds, number, made=made),
        table=_table(data, specs, found, seconds),
        findings=judge_context(data, specs, found, uses, seconds),
        limits=(*_OF_SCENES, *_LIMITS) if made else _LIMITS,
        figures=(
            _scores(specs, found, seconds),
            _classes(data, found, best),
            _curves(uses),
            _pictures(data, specs, found, best),
        ),
    )


def _data(request: LabRequest, number: int) -> SceneData:
    if request.source is None:
        return scenes(*PICTURES[number], SIZES[number], seed=request.seed)
    return masked_pictures(request.source, side=SIDES[number], most=MOST[number], listener=request.listener)


def _trained(
    data: SceneData, specs: Mapping[str, NetworkSpec], steps: int, seeds: int, request: LabRequest
) -> dict[str, list[SceneRun]]:
    cases = [
        (name, SceneTrial(spec=spec, steps=steps, seed=request.seed + seed, keep=seed == 0))
        for seed in range(seeds)
        for name, spec in specs.items()
    ]
    runs = in_processes(
        train_scene, data, [trial for _, trial in cases], workers=request.workers, listener=request.listener
    )
    found: dict[str, list[SceneRun]] = {name: [] for name in specs}
    for (name, _), run in zip(cases, runs, strict=True):
        found[name].append(run)
    return found


def _setup(
    data: SceneData, specs: Mapping[str, NetworkSpec], steps: int, seeds: int, number: int, *, made: bool
) -> dict[str, str]:
    macs = [count(spec).macs or 0 for spec in specs.values()]
    words = {
        "data": data.said(),
        "networks": "two halvings, four 3x3 convolutions, the module, two steps up with skips"
        if made
        else "unet-small of the catalogue, without and with each module",
        "equal cost": f"{said_cost(min(macs))} to {said_cost(max(macs))} MACs a picture"
        + ("; widths were searched for it" if made else ", as they are"),
        "training": f"{steps} steps of Adam at {RATE:g} with warm-up and cosine, batches of {BATCH}; nothing augmented",
        "seeds": f"{seeds}; the same pictures and order for every network of a seed; differences are paired, with 95 % "
        f"intervals by Student's t",
        "context curve": f"{PLACES[number]} held-out pixels of each class; everything beyond a square is filled with "
        f"the picture's mean, with the picture blurred, with another picture",
        "time": "one picture in batches of 16, without gradients, on one core, lower quartile",
    }
    if made:
        words["what is known"] = (
            f"{' and '.join(data.far)} look alike; a beacon at the other edge, "
            f"{shortest_distance(data.shape.extents[1])} pixels away or more, says which it is"
        )
    return words


def _mean_ious(found: Mapping[str, Sequence[SceneRun]]) -> Seeds:
    return Seeds(values={name: tuple(run.mean_iou for run in runs) for name, runs in found.items()})


def _table(
    data: SceneData,
    specs: Mapping[str, NetworkSpec],
    found: Mapping[str, Sequence[SceneRun]],
    seconds: Mapping[str, float],
) -> Table:
    means = _mean_ious(found)
    rows = []
    for name, spec in specs.items():
        ledger = count(spec)
        better, worse = gains(data.classes, found, name)
        rows.append((
            name,
            "x".join(map(str, ledger.receptive_field)),
            said_cost(ledger.parameters),
            said_cost(ledger.macs or 0),
            f"{1e3 * seconds[name]:.2f}",
            means.said(name),
            *(f"{np.nanmean([run.iou[place] for run in found[name]]):.3f}" for place in _shown(data)),
            "" if name == "none" else "; ".join([*better, *worse]) or "none for certain",
        ))
    return Table(
        caption="Every network: what a pixel can see, cost, time, mean IoU with its 95 % interval over seeds, IoU of "
        "classes, and the classes whose difference to none is certain (95 %)",
        header=(
            "network",
            "sees",
            "parameters",
            "MACs",
            "ms",
            "mean IoU",
            *(data.classes[each] for each in _shown(data)),
            "against none",
        ),
        rows=tuple(rows),
    )


def _shown(data: SceneData) -> tuple[int, ...]:
    return tuple(range(len(data.classes))) if len(data.classes) <= 6 else ()  # noqa: PLR2004 - a table has an end


def _scores(
    specs: Mapping[str, NetworkSpec], found: Mapping[str, Sequence[SceneRun]], seconds: Mapping[str, float]
) -> Drawing:
    means = _mean_ious(found)
    dots = []
    for name, spec in specs.items():
        low, high = means.interval(name) or (None, None)
        note = f"{said_cost(count(spec).macs or 0)} MACs, {1e3 * seconds[name]:.2f} ms"
        dots.append(Dot(label=name, value=means.mean(name), low=low, high=high, note=note, hollow="none" in name))
    return draw_dots("Mean IoU with its 95 % interval over seeds, and the cost of one picture", "mean IoU", dots)


def _classes(data: SceneData, found: Mapping[str, Sequence[SceneRun]], best: str) -> Drawing:
    dots = []
    for place, name in enumerate(data.classes):
        dots.append(Dot(label=name, value=None))
        for network in ("none", best):
            values = [run.iou[place] for run in found[network] if np.isfinite(run.iou[place])]
            if values:
                dots.append(
                    Dot(
                        label=network,
                        value=float(np.mean(values)),
                        low=min(values),
                        high=max(values),
                        hollow=network == "none",
                    )
                )
    return draw_dots("IoU of every class without a module and with the best one; lowest and highest seed", "IoU", dots)


def _curves(uses: Mapping[str, ContextUse]) -> Curves:
    return Curves(
        caption="Answers that stay those on the whole picture while everything beyond a radius is filled",
        x_label="radius that is kept, as a power of two (3 is 8 pixels, 4 is 16)",
        y_label="share of the answers that stay",
        lines=tuple(
            Line(
                label=f"{name}, {curve.fill}",
                x=tuple(float(np.log2(radius)) for radius in curve.radii),
                y=curve.agreement,
                dashed=name == "none",
            )
            for name, use in uses.items()
            for curve in use.curves
        ),
        y_range=(0.0, 1.0),
    )


def _pictures(
    data: SceneData, specs: Mapping[str, NetworkSpec], found: Mapping[str, Sequence[SceneRun]], best: str
) -> Drawing:
    pixels, truth = data.pixels(3)
    modules = {name: restored(specs[name], found[name][0].weights) for name in ("none", best)}
    rows = []
    for place, mask in enumerate(truth):
        shown, known = pixels[place : place + 1], mask < len(data.classes)
        row = [
            MapTile(label="picture", values=shown[0].mean(0).numpy()),
            MapTile(label="mask", values=np.where(known, mask, 0).astype(float), note="a class is a shade"),
        ]
        for name, module in modules.items():
            wrong = known & (module(shown)[0].argmax(0).numpy() != mask)
            share = 100 * wrong.sum() / max(1, known.sum())
            row.append(MapTile(label=f"wrong: {name}", values=wrong.astype(float), note=f"{share:.1f} % of the pixels"))
        rows.append(row)
    return draw_maps("Held-out pictures, their masks, and where the answers are wrong (white)", rows)


LAB = Lab(question=QUESTION, run=_run, takes_source=True, takes_control=True)
