"""Adam or SGD? The twelve cells of the course's table, measured with every optimizer at its own tuned rate."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from thalweg.core.lab import LabResult
from thalweg.core.report import Curves, Line, Table
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.many import in_processes
from thalweg.experiments.optimizer_claims import ADAM, PLAIN, Standings, judge_table, usable_width
from thalweg.experiments.optimizer_runs import Bench, Case, Measured, SparseCase, measure, rate_grid, sparse_losses
from thalweg.experiments.optimizers import OPTIMIZERS, OptimizerChoice
from thalweg.experiments.saddle_problems import Student
from thalweg.experiments.walkers import walk

__all__ = ["LAB"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is done.

    Args:
        side: Of the pictures, in pixels.
        samples: Trained on, at most.
        epochs: Passes over them.
        batch: Samples a step.
        rates: Of the first grid.
        trials: Seeds that rates are chosen with.
        seeds: Seeds of the trainings that count.
    """

    side: int
    samples: int
    epochs: int
    batch: int
    rates: int
    trials: int
    seeds: int


FULL = Size(side=64, samples=4000, epochs=15, batch=64, rates=7, trials=2, seeds=5)
QUICK = Size(side=32, samples=600, epochs=8, batch=32, rates=5, trials=1, seeds=3)
FARTHER = 3
"""Rates that a grid may be continued by where its best is at an end."""
SETTINGS: Mapping[str, tuple[Mapping[str, float], ...]] = {
    "SGD": ({"weight_decay": 1e-3},),
    "SGD with momentum": ({"momentum": 0.8}, {"momentum": 0.95}, {"weight_decay": 1e-3}),
    "RMSprop": ({"alpha": 0.9}, {"alpha": 0.999}),
    "Adagrad": ({"initial_accumulator_value": 0.1},),
    "Adam": ({"beta1": 0.8}, {"beta1": 0.95}, {"beta2": 0.99}, {"beta2": 0.9999}, {"eps": 1e-4}),
    "AdamW": ({"beta1": 0.8}, {"beta1": 0.95}, {"weight_decay": 0.1}),
    "Muon": ({"momentum": 0.9}, {"momentum": 0.98}),
    "Schedule-Free AdamW": ({"beta1": 0.8}, {"beta1": 0.95}),
}
"""One change at a time: momentum that forgets twice as fast or half, second moments ten times, some decay."""
NEAR = (1e-2, 1e-4, 1e-6)
SADDLE_RATES = (0.03, 0.1, 0.3, 1.0)
SADDLE_STEPS = 3000
_LIMITS = tuple(
    """One small network without batch normalisation or dropout, one data set, one number of steps, constant rates.
A rate schedule would help all of them, and SGD most; nothing is augmented.
Rates are chosen on a fifth of the training samples that is left out for it, once for all seeds.
Intervals are over seeds (weights and order): other data or another split would move all of them together.
Muon takes matrices only: here the dense layers; convolutions, biases and scales go to AdamW at a tenth of its rate.""".splitlines()  # noqa: E501
)


def _run(request: LabRequest) -> LabResult:
    size = QUICK if request.quick else FULL
    data = lab_data(request.source, side=size.side, listener=request.listener, most=size.samples)
    bench = _bench(data, size, request.seed)
    runs = len(OPTIMIZERS) * (size.rates * size.trials + size.seeds + 4)
    foresee("optimizers", [Work(spec=bench.spec, steps=bench.steps, batch=size.batch, trainings=runs)], request)
    grid = _tune(bench, size, request)
    rates = {name: _best(grid[name]) for name in OPTIMIZERS}
    request.listener.say("every optimizer at its own rate, and one setting after another changed ...")
    cases = [
        Case(choice=OptimizerChoice(name=name, rate=rates[name]), seed=request.seed + number, whole=True)
        for number in range(size.seeds)
        for name in OPTIMIZERS
    ]
    changed = [
        Case(choice=OptimizerChoice(name=name, rate=rates[name], settings=settings), seed=request.seed + number,
             variant=", ".join(f"{key} {value:g}" for key, value in settings.items()))
        for name in OPTIMIZERS
        for settings in SETTINGS[name]
        for number in range(max(2, size.seeds - 2) if name in {ADAM, *PLAIN} else 1)
    ]  # fmt: skip
    done = in_processes(measure, bench, [*cases, *changed], workers=request.workers, listener=request.listener)
    found = _standings(done[: len(cases)], done[len(cases) :], grid, size, request)
    return LabResult(
        name="optimizers",
        question="What does Adam buy, what does it cost, and what does SGD do better?",
        setup=_setup(bench, size, rates, found),
        table=_table(found, rates, grid),
        findings=judge_table(found),
        limits=_LIMITS,
        figures=(_rate_figure(grid), _course(found, rates)),
    )


def _bench(data: LabData, size: Size, seed: int) -> Bench:
    order = np.random.default_rng((seed, 7)).permutation(len(data.train))
    cut = len(order) // 5
    part = data.train
    kept, held = np.sort(order[cut:]), np.sort(order[:cut])
    tuning = LabData(
        source=data.source,
        classes=data.classes,
        train=type(part)(values=part.values[kept], labels=part.labels[kept]),
        test=type(part)(values=part.values[held], labels=part.labels[held]),
    )
    return Bench(
        data=data,
        tuning=tuning,
        spec=lab_network(data.shape, len(data.classes)),
        steps=size.epochs * math.ceil(len(part) / size.batch),
        batch_size=size.batch,
    )


def _tune(bench: Bench, size: Size, request: LabRequest) -> dict[str, dict[float, list[float]]]:
    """Accuracy of every rate of every optimizer; a grid whose best is at its end goes on there."""
    request.listener.say(f"{len(OPTIMIZERS)} optimizers, rates ...")
    grid: dict[str, dict[float, list[float]]] = {name: {} for name in OPTIMIZERS}
    wanted = [(name, rate) for name in OPTIMIZERS for rate in rate_grid(name, size.rates)]
    for _ in range(FARTHER + 1):
        cases = [
            Case(choice=OptimizerChoice(name=name, rate=rate), seed=request.seed + 100 + number, tuning=True)
            for name, rate in wanted
            for number in range(size.trials)
        ]
        for each in in_processes(measure, bench, cases, workers=request.workers, listener=request.listener):
            accuracy = 0.0 if each.broken else each.last.test_accuracy
            grid[each.case.choice.name].setdefault(each.case.choice.rate, []).append(accuracy)
        wanted = []
        for name, tried in grid.items():
            rates, best = sorted(tried), _best(tried)
            if best == rates[0]:
                wanted.append((name, best / math.sqrt(10)))
            elif best == rates[-1]:
                wanted.append((name, best * math.sqrt(10)))
        if not wanted:
            break
    return {name: dict(sorted(tried.items())) for name, tried in grid.items()}


def _best(tried: Mapping[float, Sequence[float]]) -> float:
    return max(sorted(tried), key=lambda rate: round(statistics.fmean(tried[rate]), 9))


def _standings(
    tuned: Sequence[Measured], changed: Sequence[Measured], grid: Mapping[str, Mapping[float, Sequence[float]]],
    size: Size, request: LabRequest,
) -> Standings:  # fmt: skip
    by_name = {name: [run for run in tuned if run.case.choice.name == name] for name in OPTIMIZERS}
    drops: dict[str, list[float]] = {}
    for name in OPTIMIZERS:
        drops[name] = []
        for run in by_name[name]:
            others = [each.last.test_accuracy for each in changed
                      if each.case.choice.name == name and each.case.seed == run.case.seed]  # fmt: skip
            if others:
                drops[name].append(run.last.test_accuracy - min(others))
    widths = {
        name: [usable_width(list(tried), [row[number] for row in tried.values()]) for number in range(size.trials)]
        for name, tried in grid.items()
    }
    saddles, starts = _saddle_steps(request.seed)
    return Standings(
        tuned=by_name,
        widths=widths,
        drops=drops,
        variants={name: [", ".join(f"{key} {value:g}" for key, value in each.items()) for each in SETTINGS[name]]
                  for name in OPTIMIZERS},
        sparse=_sparse(size, request),
        saddles=saddles,
        starts=starts,
    )  # fmt: skip


def _sparse(size: Size, request: LabRequest) -> dict[str, list[float]]:
    """Held-out loss on rare words at the rate that is best over the seeds."""
    request.listener.say("rare words ...")
    names = [name for name in OPTIMIZERS if name != "Muon"]  # a single row has nothing to make orthogonal
    cases = [
        SparseCase(
            name=name, rates=tuple(10 * rate for rate in rate_grid(name, size.rates - 1)), seed=request.seed + number
        )
        for name in names
        for number in range(size.seeds)
    ]
    losses = in_processes(sparse_losses, None, cases, workers=request.workers, listener=request.listener)
    found = {}
    for place, name in enumerate(names):
        rows = np.asarray(losses[place * size.seeds : (place + 1) * size.seeds])
        best = int(np.nanargmin(np.where(np.isfinite(rows), rows, 1e9).mean(axis=0)))
        found[name] = [float(loss) for loss in rows[:, best]]
    return found


def _saddle_steps(seed: int) -> tuple[dict[str, list[float]], int]:
    """Steps off the saddle of identical units, from near it, at the rate that gets every optimizer off soonest."""
    student = Student(seed)
    grid = [(rate, distance, number) for rate in SADDLE_RATES for distance in NEAR for number in range(2)]
    rates, distances = (np.array([row[place] for row in grid]) for place in range(2))
    start = student.start(distances, np.random.default_rng((seed, 9)))
    together = student.start(np.zeros(1), np.random.default_rng(seed))
    settled = walk("SGD with momentum", student.value, lambda points, _: student.gradient(points), together,
                   np.array([0.1]), steps=1500, seed=0)  # fmt: skip
    below = float(settled.losses[-1, 0]) / 2
    found = {}
    for name in (*PLAIN, ADAM):
        done = walk(
            name, student.value, lambda points, _: student.gradient(points), start, rates, steps=SADDLE_STEPS, seed=0
        )
        under = (done.losses < below) & np.isfinite(done.losses[-1])
        steps = np.where(under.any(axis=0), under.argmax(axis=0).astype(float), math.inf).reshape(len(SADDLE_RATES), -1)
        best = int(np.argmin(np.minimum(steps, 1e5).mean(axis=1)))
        found[name] = [float(each) for each in steps[best]]
    return found, len(NEAR) * 2


def _setup(bench: Bench, size: Size, rates: Mapping[str, float], found: Standings) -> dict[str, str]:
    weights = sum(run.kept for run in found.tuned["SGD with momentum"][:1]) // 4
    return {
        "data": bench.data.said(),
        "network": f"two convolutions and two dense layers, {weights:,} weights, no normalisation, no dropout",
        "steps": f"{bench.steps:,} of {bench.batch_size} samples, constant rate, for every optimizer",
        "rates": f"half a decade apart, {size.rates} and more where the best was at an end, "
        f"{size.trials} {'seed' if size.trials == 1 else 'seeds'} each, "
        f"judged on {len(bench.tuning.test):,} training samples left out for it",
        "own rates": ", ".join(f"{name} {rate:.2g}" for name, rate in rates.items()),
        "seeds": f"{size.seeds}, the same weights and order for all",
        "sharpness": "largest eigenvalue of the Hessian of the training loss, evaluation mode, 256 samples, Lanczos",
        "rare words": "linear classifier, 300 words drawn by Zipf's law, six a text, each optimizer at its own rate",
        "time": "processor time; the least of several where only the update is timed",
        "target": f"a training loss of {found.target():.4f}, which Adam and both kinds of SGD reach",
    }


def _table(found: Standings, rates: Mapping[str, float], grid: Mapping[str, Mapping[float, Sequence[float]]]) -> Table:
    names = list(found.tuned)

    def spread(numbers: Sequence[float], digits: int = 3, factor: float = 1.0) -> str:
        known = [factor * number for number in numbers if math.isfinite(number)]
        if not known:
            return "-"
        half = f" ± {statistics.stdev(known):.{digits}f}" if len(known) > 1 else ""
        return f"{statistics.fmean(known):.{digits}f}{half}"

    def row(title: str, what: str, digits: int = 3, factor: float = 1.0) -> tuple[str, ...]:
        return (title, *(spread(found.of(name, what), digits, factor) for name in names))

    gaps = {name: [run.last.train_accuracy - run.last.test_accuracy for run in found.tuned[name]] for name in names}
    times = {name: [run.seconds * steps for run, steps in zip(found.tuned[name], found.steps(name), strict=True)]
             for name in names}  # fmt: skip
    rows = (
        ("own rate", *(f"{rates[name]:.2g}" for name in names)),
        ("state, bytes, measured", *(f"{found.tuned[name][0].kept:,}" for name in names)),
        ("state, bytes, predicted", *(f"{found.tuned[name][0].predicted:,}" for name in names)),
        row("time a step, ms", "seconds", 2, 1e3),
        row("of which the update, ms", "update_seconds", 3, 1e3),
        ("steps to the target", *(spread(found.steps(name), 0) for name in names)),
        ("time to the target, s", *(spread(times[name], 2) for name in names)),
        ("usable rates, decades", *(spread(found.widths[name], 1) for name in names)),
        ("rates tried", *(f"{min(grid[name]):.1g} to {max(grid[name]):.1g}" for name in names)),
        ("worst change of a setting, points lost", *(spread(found.drops[name], 1, 100) for name in names)),
        ("loss on rare words, nats", *(spread(found.sparse.get(name, ()), 3) for name in names)),
        row("sharpness at the end", "sharpness", 1),
        row("training loss at the end, nats", "train_loss", 3),
        ("gap, training less held out, points", *(spread(gaps[name], 1, 100) for name in names)),
        row("held-out accuracy, %", "test_accuracy", 1, 100),
    )
    return Table(
        caption="Means and standard deviations over seeds, every optimizer at its own rate",
        header=("measured", *names),
        rows=rows,
    )


def _rate_figure(grid: Mapping[str, Mapping[float, Sequence[float]]]) -> Curves:
    lines = []
    for number, (name, tried) in enumerate(grid.items()):
        places = tuple(math.log10(rate) for rate in tried)
        means = tuple(100 * statistics.fmean(row) for row in tried.values())
        lines.append(Line(label=name, x=places, y=means, dashed=number >= len(grid) // 2))
    return Curves(
        caption="Accuracy against learning rate: how wide the top is says how much the rate matters",
        x_label="learning rate, powers of ten",
        y_label="accuracy on left-out training samples, %",
        lines=tuple(lines),
        y_range=_range([value for line in lines for value in line.y if value > 0]),
    )


def _range(values: Sequence[float]) -> tuple[float, float]:
    """Where nearly all values lie: a single rate that broke must not flatten the rest."""
    return max(0.0, float(np.quantile([*values, 100.0], 0.05)) - 3), min(100.0, max([*values, 1.0]) + 2)


def _course(found: Standings, rates: Mapping[str, float]) -> Curves:
    lines = []
    for number, (name, runs) in enumerate(found.tuned.items()):
        whole = [run.losses for run in runs if not run.broken]
        if whole:
            means = np.mean(np.asarray(whole), axis=0)
            places = np.unique(np.linspace(len(means) // 30, len(means) - 1, 30).astype(int))
            lines.append(
                Line(
                    label=f"{name}, rate {rates[name]:.2g}",
                    x=tuple(float(place + 1) for place in places),
                    y=tuple(float(means[place]) for place in places),
                    dashed=number >= len(found.tuned) // 2,
                )
            )
    return Curves(
        caption="Training loss, smoothed, mean over the seeds, each at its own rate",
        x_label="step",
        y_label="nats",
        lines=tuple(lines),
        y_range=(0.0, 1.5 * statistics.median([line.y[0] for line in lines])) if lines else None,
    )


LAB = Lab(question="What does Adam buy, what does it cost, and what does SGD do better?", run=_run, takes_source=True)
