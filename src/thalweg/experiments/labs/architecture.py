"""Plain, inception or residual? At equal parameters and at equal time; and does the way of writing a network matter?"""

import statistics
from collections.abc import Mapping, Sequence
from functools import partial

import torch

from thalweg.accounting.ledger import count
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Drawing, Table
from thalweg.experiments.architectures import ARCHITECTURES, architecture, plain_list
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.dimension_words import in_words_of
from thalweg.experiments.fit import fit
from thalweg.experiments.foreseen import foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.optimizers import OptimizerChoice
from thalweg.experiments.seeds import Seeds
from thalweg.experiments.sizing import cost_of, nearest_width, said_cost
from thalweg.experiments.timing import answer_seconds
from thalweg.experiments.variants import RATE, RECIPE, Trained, Variant, accuracies, train_variants, works_of
from thalweg.networks.catalogue import network
from thalweg.rendering.figures.dots import Dot, draw_dots

__all__ = ["LAB"]

SIDE = 32
SAMPLES, EPOCHS, SEEDS = (400, 1600), (6, 12), (3, 5)
PARAMETERS = (15_000, 60_000)
STEPS, FORMED = (4, 20), 8
"""Updates after which both ways of writing are compared; channels, for signals and volumes. Each pair: quick, full."""
TIMING = 2.0
MARGIN = 0.02
"""What an accuracy may lose and still count as kept."""
_LIMITS = tuple(
    """Small networks on small pictures: residual connections are made for depths of dozens of layers and more.
All have batch normalisation, without which deep plain networks learn far worse, and shortcuts matter more.
One recipe and one rate for all; nothing is augmented.
Equal time is processor time of training on this machine: it rewards what this processor is good at.
Intervals tell how much seeds matter; that the held-out pictures are a sample, too, is not in them.""".splitlines()
)


def _run(request: LabRequest) -> LabResult:
    number = 0 if request.quick else 1
    data = lab_data(request.source, side=SIDE, listener=request.listener, most=SAMPLES[number])
    specs = {}
    for name in ARCHITECTURES:
        make = partial(architecture, name, data.shape, len(data.classes))
        specs[name] = make(nearest_width(make, PARAMETERS[number], "parameters", most=256))
    epochs = dict.fromkeys(specs, float(EPOCHS[number]))
    once = works_of(
        [Variant(name=name, spec=spec, epochs=epochs[name]) for name, spec in specs.items()], data, SEEDS[number]
    )
    foresee("architecture", [*once, *once], request)  # at equal parameters, then at equal time
    first = _trained(specs, epochs, data, request, SEEDS[number])
    spent = {name: statistics.median(each.seconds for each in runs) for name, runs in first.items()}
    budget = statistics.median(spent.values())
    longer = {name: max(1.0, epochs[name] * budget / seconds) for name, seconds in spent.items()}
    request.listener.say(f"Once more, each for about {budget:.1f} seconds ...")
    second = _trained(specs, longer, data, request, SEEDS[number])
    scores, timed = accuracies(first), accuracies(second)
    seconds = answer_seconds(specs, seconds=TIMING)
    same = _written_twice(data, request.seed, STEPS[number])
    result = LabResult(
        name="architecture",
        question="Plain, inception or residual: which learns most from the same parameters, and in the same time?",
        setup={
            "data": data.said(),
            "networks": "a 3x3 convolution, two stages with pooling between, mean over all places, one dense layer; "
            "batch normalisation and ReLU after every convolution; widths for parameters as equal "
            "as whole channels allow: "
            + ", ".join(f"{name} {cost_of(spec, 'parameters'):,}" for name, spec in specs.items()),
            "deep": "four pairs of convolutions a stage instead of one, narrower for it",
            "equal parameters": f"{EPOCHS[number]} epochs each; {RECIPE}",
            "equal time": f"as many epochs as take {budget:.1f} seconds of the processor: "
            + ", ".join(f"{name} {each:.1f}" for name, each in longer.items()),
            "seeds": f"{SEEDS[number]}; intervals are 95 %, by Student's t",
            "forms": f"a plain network, written as a list and as calls, {STEPS[number]} updates with one seed",
            "time": "one picture in batches of 16, without gradients, on one core, lower quartile",
        },
        table=_table(specs, scores, timed, spent, seconds),
        findings=_findings(specs, scores, timed, spent, same, STEPS[number]),
        limits=_LIMITS,
        figures=(_figure(specs, scores, timed, longer),),
    )
    return in_words_of(result, data.shape.axes)


def _trained(
    specs: Mapping[str, NetworkSpec], epochs: Mapping[str, float], data: LabData, request: LabRequest, seeds: int
) -> dict[str, list[Trained]]:
    variants = [Variant(name=name, spec=spec, epochs=epochs[name]) for name, spec in specs.items()]
    return train_variants(variants, data, seeds, request)


def _both_forms(data: LabData) -> tuple[NetworkSpec, NetworkSpec]:
    shape, classes = data.shape, len(data.classes)
    if shape.axes == 2:  # noqa: PLR2004 - the catalogue has both for pictures
        return network("plain-sequential", shape, classes), network("plain-functional", shape, classes)
    return plain_list(shape, classes, FORMED), architecture("plain", shape, classes, FORMED)


def _written_twice(data: LabData, seed: int, steps: int) -> tuple[int, int]:
    """Train thalweg's plain network in both forms; how many of its numbers are the same to the bit, and of how many."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # sums in one order
    try:
        states = []
        few = data.some(64, 20)
        for spec in _both_forms(data):
            done = fit(spec, few, OptimizerChoice(name="Adam", rate=RATE), steps=steps, seed=seed, keep=True)
            states.append(done.module.state_dict() if done.module else {})
    finally:
        torch.set_num_threads(threads)
    one, other = states
    same = [int((one[name] == other[name]).sum()) for name in one if name in other and one[name].shape == other[name].shape]  # fmt: skip  # noqa: E501
    return sum(same), sum(each.numel() for each in one.values())


def _findings(
    specs: Mapping[str, NetworkSpec],
    scores: Seeds,
    timed: Seeds,
    spent: Mapping[str, float],
    same: tuple[int, int],
    steps: int,
) -> tuple[LabFinding, ...]:
    macs = {name: cost_of(spec, "macs") for name, spec in specs.items()}
    depths = {name: sum(row.kind.startswith("conv") for row in count(spec).rows) for name, spec in specs.items()}
    best = max(timed.values, key=timed.mean)
    others = {name: timed.better(best, name) for name in timed.values if name != best}
    beaten = [name for name, verdict in others.items() if verdict == "supported"]

    def told(seeds: Seeds, *names: str) -> str:
        return ", ".join(f"{name} {seeds.said(name)}" for name in names)

    return (
        LabFinding(
            claim="An inception network is better than a plain one of as many parameters",
            verdict=scores.better("inception", "plain"),
            observed=f"{told(scores, 'inception', 'plain')}: {scores.against('inception', 'plain')}, for "
            f"{macs['inception'] / macs['plain']:.1f} times the MACs and {spent['inception'] / spent['plain']:.1f} "
            f"times the time of training",
            fails=f"in the same time: {timed.against('inception', 'plain')}",
        ),
        LabFinding(
            claim="A residual network is better than a plain one of as many parameters",
            verdict=scores.better("residual", "plain"),
            observed=f"{depths['plain']} convolutions: {told(scores, 'residual', 'plain')}: "
            f"{scores.against('residual', 'plain')}",
            fails=f"in the same time: {timed.against('residual', 'plain')}",
        ),
        LabFinding(
            claim="Shortcuts are what lets a network be deep",
            verdict=scores.better("residual, deep", "plain, deep"),
            observed=f"{depths['plain, deep']} convolutions: {told(scores, 'residual, deep', 'plain, deep')}: "
            f"{scores.against('residual, deep', 'plain, deep')}; from {depths['plain']} to {depths['plain, deep']} "
            f"convolutions plain changes by {scores.against('plain, deep', 'plain')}, residual by "
            f"{scores.against('residual, deep', 'residual')}",
            fails="with batch normalisation a plain network of this depth can be trained, too",
        ),
        LabFinding(
            claim="One architecture is best in the same time",
            verdict="supported" if len(beaten) == len(others) else "undecided",
            observed=f"highest is {told(timed, best)}; clearly below it: {', '.join(beaten) or 'none'}; "
            + told(timed, *others),
            fails="what is not clearly below may be as good: more seeds and more held-out pictures would tell",
        ),
        LabFinding(
            claim="The sequential and the functional form are one network",
            verdict="supported" if same[0] == same[1] else "contradicted",
            observed=f"after {steps} updates {same[0]:,} of {same[1]:,} numbers of weights and statistics are the same "
            f"to the bit",
            fails="a list cannot branch: inception and residual networks need the functional form",
        ),
    )


def _table(
    specs: Mapping[str, NetworkSpec],
    scores: Seeds,
    timed: Seeds,
    spent: Mapping[str, float],
    seconds: Mapping[str, float],
) -> Table:
    return Table(
        caption="Every network at equal parameters and at equal time of training, with 95 % intervals over seeds",
        header=("network", "equal parameters", "equal time", "parameters", "MACs", "time, us", "training, s"),
        rows=tuple(
            (
                name,
                scores.said(name),
                timed.said(name),
                f"{cost_of(spec, 'parameters'):,}",
                said_cost(cost_of(spec, "macs")),
                f"{1e6 * seconds[name]:.0f}",
                f"{spent[name]:.1f}",
            )
            for name, spec in specs.items()
        ),
    )


def _figure(specs: Mapping[str, NetworkSpec], scores: Seeds, timed: Seeds, longer: Mapping[str, float]) -> Drawing:
    dots: list[Dot] = []
    parts: Sequence[tuple[str, Seeds, bool]] = (("equal parameters", scores, True), ("equal time", timed, False))
    for title, seeds, costs in parts:
        dots.append(Dot(label=title, value=None))
        for name, spec in specs.items():
            low, high = seeds.interval(name) or (None, None)
            note = f"{said_cost(cost_of(spec, 'macs'))} MACs" if costs else f"{longer[name]:.1f} epochs"
            dots.append(Dot(label=name, value=seeds.mean(name), low=low, high=high, note=note, hollow=costs))
    return draw_dots(
        "Accuracy with its 95 % interval over seeds, at equal parameters (hollow) and at equal time",
        "share of held-out pictures that is right",
        dots,
    )


LAB = Lab(
    question="Plain, inception or residual: which learns most from the same parameters, and in the same time?",
    run=_run,
    takes_source=True,
)
