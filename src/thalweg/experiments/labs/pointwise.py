"""What is a 1x1 convolution for? What it is and saves, how far channels can be reduced, when it does not help."""

import math
from collections.abc import Sequence

from thalweg.core.lab import LabResult
from thalweg.core.report import Curves, Drawing, Line, Table
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.pointwise_claims import judge_pointwise
from thalweg.experiments.pointwise_costs import CASES, Saving, published, savings
from thalweg.experiments.pointwise_facts import check_linearity, maps_of, seen_by
from thalweg.experiments.pointwise_layers import KEPT, LayerReach, reach_of_layers
from thalweg.experiments.pointwise_subject import Subject, is_run, of_run, subject_network, trained_here
from thalweg.experiments.pointwise_trials import NARROW, WIDE, Trial, run_trials, trial_works
from thalweg.experiments.sizing import said_cost
from thalweg.experiments.variants import RECIPE
from thalweg.rendering.figures.dots import Dot, draw_dots

__all__ = ["LAB"]

SIDE = 32
"""Longest axis of a sample, where the network is trained here."""
SAMPLES = (600, 2000)
EPOCHS = (8, 20)
TRIAL_EPOCHS, TRIAL_SEEDS = (5, 12), (3, 5)
MOST_SHOWN = (200, 800)
"""Samples that a run's own network is shown. Each pair: quick, full."""
TIMING = (1.0, 4.0)
"""Seconds a case."""
BATCH = 4
_LIMITS = (
    "The mixes that are kept are found after training, and nothing is trained afterwards: a trained 1x1 may go lower.",
    "One layer at a time is reduced: all at once lose more.",
    "Held-out samples are a sample: agreement is told with its 95 % interval, and one network was looked into.",
    "Time was taken on one core of this processor, forward and backward; a graphics card has other break-even points.",
    "A 1x1 with a ReLU of its own also adds a layer, which may help by itself: the trials show both together.",
)


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    run = is_run(request.source)
    data = None if run else lab_data(request.source, side=SIDE, listener=request.listener, most=SAMPLES[number])
    if data is not None:
        foresee("pointwise", _works(data, request.seed, number), request)
    subject = (
        of_run(request, most=MOST_SHOWN[number]) if data is None else trained_here(data, request, epochs=EPOCHS[number])
    )
    layers = reach_of_layers(subject, request.listener, seed=request.seed)
    maps = seen_by(subject, layers[0].name) if layers else subject.test[0]
    linear = check_linearity(maps, seed=request.seed)
    request.listener.say("Timing convolutions with and without a 1x1 before them ...")
    costs = savings(CASES, batch=BATCH, seconds=TIMING[number])
    trials = () if data is None else _trials(data, request, number)
    known = published()
    drawn = maps_of(subject)
    figures: list[Drawing | Curves] = [drawn] if drawn is not None else []
    if layers:
        figures.append(_kept_figure(layers))
    if trials:
        figures.append(_trial_figure(trials))
    return LabResult(
        name="pointwise",
        question="What is a 1x1 convolution for, how far can channels be reduced, and when does it not help?",
        setup=_setup(subject, linear.unexplained, number, with_trials=bool(trials)),
        table=_table(layers, costs, known, trials),
        findings=judge_pointwise(linear, costs, known, layers, trials),
        limits=_LIMITS,
        figures=tuple(figures),
    )


def _works(data: LabData, seed: int, number: int) -> list[Work]:
    alone = Work(
        spec=subject_network(data.shape, len(data.classes)),
        steps=EPOCHS[number] * math.ceil(len(data.train) / 32),
        trainings=2,  # one after the other, where trials keep two processes busy
    )
    trials = trial_works(data, seed=seed, epochs=TRIAL_EPOCHS[number], seeds=TRIAL_SEEDS[number], widths=(NARROW, WIDE))
    return [alone, *trials]


def _trials(data: LabData, request: LabRequest, number: int) -> tuple[Trial, ...]:
    return run_trials(
        data,
        request,
        epochs=TRIAL_EPOCHS[number],
        seeds=TRIAL_SEEDS[number],
        timing=TIMING[number],
        widths=(NARROW, WIDE),
    )


def _setup(subject: Subject, unexplained: float, number: int, *, with_trials: bool) -> dict[str, str]:
    trained = (
        f"one 3x3 and two 5x5 convolutions of {NARROW} or {WIDE} channels, with and without a 1x1 to a quarter before "
        f"each 5x5; {TRIAL_EPOCHS[number]} epochs, as many updates on few samples; {TRIAL_SEEDS[number]} seeds, 95 % "
        f"intervals by Student's t; {RECIPE}"
    )
    return {
        "network": subject.said,
        "equality": "on what the first windowed layer reads, in double precision, with random weights; the best single "
        f"1x1 instead of two with a ReLU between leaves {unexplained:.1%} of the variance",
        "dimensions": "effective rank, exp(-sum p log p), p the singular values of the centred channel vectors over "
        "their sum (Roy and Vetterli 2007); from training samples",
        "kept": f"accuracy on held-out samples with only the best directions of what a layer reads, which is a 1x1 "
        f"convolution in front of it; reductions to powers of two; enough is what keeps {KEPT:.0%}",
        "time": f"{BATCH} samples, forward and backward, one core, cases in turn, lower quartile",
        **({"trials": trained} if with_trials else {"trials": "none, since the network of a run is looked into"}),
    }


def _table(
    layers: Sequence[LayerReach], costs: Sequence[Saving], known: Sequence[Saving], trials: Sequence[Trial]
) -> Table:
    rows = []
    for each in layers:
        step = each.enough
        kept = "-" if step is None else f"{step.accuracy / each.accuracy:.1%}"
        agreed = "" if step is None else f"{step.agreement[0]:.1%} ({step.agreement[1]:.1%} to {step.agreement[2]:.1%})"
        rows.append((
            f"before {each.name}",
            f"{each.cloud.channels} to {step.channels if step else each.cloud.channels}",
            " to ".join(said_cost(macs) for macs in each.macs),
            "",
            f"rank {each.cloud.rank:.1f}, {each.cloud.components} hold 99 %; keeps {kept}, agrees {agreed or '-'}",
        ))
    for saving in (*costs, *known):
        time = "" if saving.seconds is None else f"{saving.faster:.2f}"
        rows.append((
            saving.name,
            "",
            " to ".join(said_cost(macs) for macs in saving.macs),
            time,
            f"{saving.fewer_macs:.1f} times fewer; parameters {saving.parameters[0]:,} to {saving.parameters[1]:,}",
        ))
    rows += [
        (
            trial.name,
            f"{trial.width} to {max(1, trial.width // 4)}",
            " to ".join(said_cost(macs) for macs in trial.macs),
            f"{trial.seconds[0] / trial.seconds[1]:.2f}",
            f"accuracy {trial.scores.said('without')} without, {trial.scores.said('with')} with",
        )
        for trial in trials
    ]
    return Table(
        caption="Layers of the network; convolutions counted and timed; networks trained with and without a 1x1",
        header=("what", "channels", "MACs", "times faster", "numbers"),
        rows=tuple(rows),
    )


def _kept_figure(layers: Sequence[LayerReach]) -> Curves:
    shown = layers if len(layers) <= 6 else [layers[round(place * (len(layers) - 1) / 5)] for place in range(6)]  # noqa: PLR2004 - more cannot be told apart
    return Curves(
        caption="Accuracy kept when a layer reads only the best mixes of its channels, as a 1x1 in front would give it",
        x_label="channels that the 1x1 leaves, as a power of two (3 is 8, 4 is 16)",
        y_label="share of the accuracy that is kept",
        lines=tuple(
            Line(
                label=f"{each.name} ({each.cloud.channels})",
                x=tuple(float(place) for place in range(len(each.steps))),
                y=tuple(step.accuracy / each.accuracy if each.accuracy else 0.0 for step in each.steps),
                dashed=bool(index % 2),
            )
            for index, each in enumerate(shown)
        ),
    )


def _trial_figure(trials: Sequence[Trial]) -> Drawing:
    dots = []
    for trial in trials:
        dots.append(Dot(label=trial.name, value=None))
        for place, word in enumerate(("without", "with")):
            low, high = trial.scores.interval(word) or (None, None)
            note = f"{said_cost(trial.macs[place])} MACs, {1e6 * trial.seconds[place]:.0f} us"
            dots.append(
                Dot(label=f"{word} 1x1", value=trial.scores.mean(word), low=low, high=high, note=note, hollow=not place)
            )
    return draw_dots(
        "Accuracy with and without a 1x1 to a quarter before each 5x5, with 95 % intervals over seeds",
        "share of held-out samples that is right",
        dots,
    )


LAB = Lab(
    question="What is a 1x1 convolution for, how far can channels be reduced, and when does it not help?",
    run=_run,
    takes_source=True,
)
