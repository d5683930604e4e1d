"""Full batch, mini batch or single example: cost against steps, passes and seconds, and the noise of each."""

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from thalweg.core.history import RunHistory
from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.report import Curves, Line, Table
from thalweg.core.signal import Signal
from thalweg.diagnosis.noise import judge
from thalweg.experiments.batch_noise import BlindCurve, blind_curve, draw_blind, pooled
from thalweg.experiments.batch_runs import KINDS, MINI, SINGLES, Bench, Case, Done, Size, train
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.many import in_processes
from thalweg.experiments.paired import Paired, paired, verdict

__all__ = ["LAB"]

RATES: Mapping[str, tuple[float, ...]] = {
    "full batch": (0.03, 0.1, 0.3),
    "mini batch": (0.03, 0.1, 0.3),
    "single example": (0.001, 0.003, 0.01),
}
GOAL, CURVE = 0.98, 0.5
"""Share of the blind curves to be told right; seconds that one takes."""
SHARE = 0.4
"""Of the steps, to choose a rate."""
FULL = Size(side=64, samples=1200, seeds=5, curves=200,
            steps={"full batch": 300, "mini batch": 760, "single example": 7200})  # fmt: skip
QUICK = Size(side=32, samples=400, seeds=3, curves=40,
             steps={"full batch": 120, "mini batch": 260, "single example": 2000})  # fmt: skip


def _run(request: LabRequest) -> LabResult:
    size = QUICK if request.quick else FULL
    data = lab_data(request.source, side=size.side, listener=request.listener, most=size.samples)
    bench = Bench(data=data, size=size)
    foresee("batch-size", _works(data, size), request, besides=CURVE * size.curves)
    request.listener.say("rates ...")
    trials = [Case(kind=kind, rate=rate, seed=request.seed + 50, share=SHARE) for kind in KINDS for rate in RATES[kind]]
    tried = in_processes(train, bench, trials, workers=request.workers, listener=request.listener)
    rates = {kind: _lowest([each for each in tried if each.case.kind == kind]) for kind in KINDS}
    request.listener.say("full batch, mini batch, single example ...")
    cases = [Case(kind=kind, rate=rates[kind], seed=request.seed + number)
             for kind in reversed(KINDS) for number in range(size.seeds)]  # fmt: skip
    done = in_processes(train, bench, cases, workers=request.workers, listener=request.listener)
    by_kind = {kind: [each for each in done if each.case.kind == kind] for kind in KINDS}
    request.listener.say(f"{size.curves} curves to be told apart blind ...")
    blind = in_processes(blind_curve, pooled(data, 12), draw_blind(size.curves, request.seed),
                         workers=request.workers, listener=request.listener, what="curves")  # fmt: skip
    return LabResult(
        name="batch-size",
        question="Full batch, mini batch or single example: what does each cost, and how noisy is it?",
        setup=_setup(bench, rates, blind),
        table=_table(by_kind, rates),
        findings=_findings(by_kind, blind),
        limits=_LIMITS,
        figures=_figures(by_kind, blind),
    )


def _works(data: LabData, size: Size) -> list[Work]:
    spec, samples = lab_network(data.shape, len(data.classes)), {KINDS[0]: len(data.train), KINDS[1]: MINI, KINDS[2]: 1}
    works = []
    for kind in KINDS:
        steps, batch = size.steps[kind], samples[kind]
        works.append(Work(spec=spec, steps=SHARE * steps, batch=batch, trainings=len(RATES[kind])))
        works.append(Work(spec=spec, steps=steps, batch=batch, trainings=size.seeds))
    return works


def _lowest(tried: Sequence[Done]) -> float:
    return min(tried, key=lambda each: each.ended if math.isfinite(each.ended) else math.inf).case.rate


def _target(by_kind: Mapping[str, Sequence[Done]]) -> float:
    """A loss that all of them reach."""
    return 1.0001 * max(min(row[-1] for row in each.course) for runs in by_kind.values() for each in runs)


def _costs(by_kind: Mapping[str, Sequence[Done]], column: int) -> dict[str, list[float]]:
    """Steps (0), passes (1) or seconds (2) until the target, between two looks by a straight line."""
    target = _target(by_kind)
    found: dict[str, list[float]] = {}
    for kind, runs in by_kind.items():
        found[kind] = []
        for each in runs:
            place = next(number for number, row in enumerate(each.course) if row[-1] <= target)
            late, early = each.course[place], each.course[place - 1] if place else None
            share = 1.0 if early is None else (early[-1] - target) / max(1e-12, early[-1] - late[-1])
            found[kind].append(late[column] if early is None else early[column] + share * (late[column] - early[column]))  # fmt: skip  # noqa: E501
    return found


def _level(each: Done) -> float:
    """Scatter from one value of the curve to the next, over the loss."""
    steps = tuple(range(1, len(each.losses) + 1))
    signal = Signal(name="batch_loss", unit="nats", steps=steps, values=each.losses)
    return judge(RunHistory(signals=(signal,))).level


def _logs(numbers: Sequence[float]) -> list[float]:
    return [math.log(max(1e-9, number)) for number in numbers]


def _findings(by_kind: Mapping[str, Sequence[Done]], blind: Sequence[BlindCurve]) -> tuple[LabFinding, ...]:
    full, mini, single = KINDS
    levels = {kind: [_level(each) for each in runs] for kind, runs in by_kind.items()}
    steps, passes, seconds = (_costs(by_kind, column) for column in range(3))

    def ratio(numbers: Mapping[str, Sequence[float]], one: str, other: str) -> Paired:
        return paired(_logs(numbers[one]), _logs(numbers[other]))

    noisy, calmer = ratio(levels, mini, full), ratio(levels, single, mini)
    fewer, faster = ratio(passes, mini, full), (ratio(seconds, mini, full), ratio(seconds, mini, single))
    noise = [each.noises for each in by_kind[mini] if len(each.noises) == 3 and all(map(math.isfinite, each.noises))]  # noqa: PLR2004 - start, quarter, end
    growth = paired(_logs([row[-1] for row in noise]), _logs([row[0] for row in noise])) if noise else None
    most = ratio(steps, single, full)
    return (
        LabFinding(
            claim="The curve of a full batch is smooth, of mini batches noisy, of single examples noisiest",
            verdict=verdict(noisy.sign(), calmer.sign()),
            observed=", ".join(f"{kind} {_middle(levels[kind]):.1%}" for kind in KINDS).replace("%", " %")
            + f" of the loss from step to step; mini over full {noisy.times()}, single over mini {calmer.times()}",
            fails="at the edge of stability a full batch swings too, by a law and not by chance",
        ),
        LabFinding(
            claim="A full batch needs the fewest steps",
            verdict=verdict(most.sign(), ratio(steps, mini, full).sign()),
            observed=f"steps to a training loss of {_target(by_kind):.3f}: "
            + ", ".join(f"{kind} {_middle(steps[kind]):,.0f}" for kind in KINDS),
            fails="each at its own rate out of three",
        ),
        LabFinding(
            claim="Mini batches need fewer passes over the data than a full batch",
            verdict=verdict(-fewer.sign()),
            observed="passes: " + ", ".join(f"{kind} {_middle(passes[kind]):.1f}" for kind in KINDS)
            + f"; mini over full batch {fewer.times()}",
            fails="until the noise of the last steps counts, which a falling rate would remove",
        ),
        LabFinding(
            claim="Mini batches are fastest in seconds",
            verdict=verdict(*(-each.sign() for each in faster)),
            observed="processor time: " + ", ".join(f"{kind} {_middle(seconds[kind]):.2f} s" for kind in KINDS)
            + f"; mini over full batch {faster[0].times()}, over single examples {faster[1].times()}",
            fails="one core; a processor that works on many samples at once likes larger batches",
        ),
        LabFinding(
            claim="The batch beyond which more samples hardly help grows while the network learns",
            verdict="undecided" if growth is None else verdict(growth.sign()),
            observed="the gradient's noise cannot be told from it here" if growth is None
            else f"critical batch size (noise scale of the gradient) {_middle([row[0] for row in noise]):.0f} samples "
            f"at the start, {_middle([row[1] for row in noise]):.0f} after a quarter, "
            f"{_middle([row[2] for row in noise]):.0f} at the end: {growth.times()}",
            fails=f"from {SINGLES} single gradients, {len(noise)} of {len(by_kind[mini])} seeds",
        ),
        _blind_finding(blind),
    )  # fmt: skip


def _blind_finding(blind: Sequence[BlindCurve]) -> LabFinding:
    right, edge = sum(each.right for each in blind), [each for each in blind if each.edge]
    share, low, high = right / len(blind), *_wilson(right, len(blind))
    open_ones = sum(not each.said for each in blind)
    missed = "; ".join(each.setting for each in blind if not each.right)
    return LabFinding(
        claim=f"Both pictures are told apart blind, in {GOAL:.0%} of the cases".replace("%", " %"),
        verdict="supported" if share >= GOAL else "contradicted" if high < GOAL else "undecided",
        observed=f"from the losses of single steps alone: {right} of {len(blind)} right ({100 * share:.1f} %, 95 %: "
        f"{100 * low:.1f} to {100 * high:.1f}), {open_ones} left undecided, {len(blind) - right - open_ones} wrong; "
        f"{sum(each.right for each in edge)} of {len(edge)} full batches at the edge of stability among them",
        fails=f"wrong or undecided: {missed}"[:400] if missed else "none was wrong",
    )


def _wilson(right: int, count: int) -> tuple[float, float]:
    z, share = 1.96, right / count
    middle, half = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
    return (middle - half) / (1 + z * z / count), (middle + half) / (1 + z * z / count)


def _middle(numbers: Sequence[float]) -> float:
    return statistics.median(numbers)


def _setup(bench: Bench, rates: Mapping[str, float], blind: Sequence[BlindCurve]) -> dict[str, str]:
    return {
        "data": bench.data.said(),
        "network": "two convolutions and two dense layers, no normalisation, no dropout; plain SGD, constant rate",
        "samples a step": f"{len(bench.data.train):,}, {MINI} and 1",
        "steps": ", ".join(f"{kind} {bench.size.steps[kind]:,}" for kind in KINDS),
        "rates": ", ".join(f"{kind} {rate:g}" for kind, rate in rates.items()) + "; each the best of three",
        "seeds": f"{bench.size.seeds}, the same weights for all kinds",
        "time": "processor time of training, without looking",
        "blind curves": f"{len(blind)}, half full batch; small networks, SGD, momentum and Adam, rates and sizes drawn",
    }


def _table(by_kind: Mapping[str, Sequence[Done]], rates: Mapping[str, float]) -> Table:
    steps, passes, seconds = (_costs(by_kind, column) for column in range(3))

    def told(numbers: Sequence[float], digits: int) -> str:
        half = f" ± {statistics.stdev(numbers):.{digits}f}" if len(numbers) > 1 else ""
        return f"{statistics.fmean(numbers):,.{digits}f}{half}"

    return Table(
        caption=f"Means and standard deviations over seeds; the target is a training loss of {_target(by_kind):.3f}",
        header=("samples a step", "rate", "steps to target", "passes to target", "seconds to target",
                "scatter of the curve, %", "training loss at the end", "held-out accuracy, %"),
        rows=tuple(
            (
                kind,
                f"{rates[kind]:g}",
                told(steps[kind], 0),
                told(passes[kind], 1),
                told(seconds[kind], 2),
                told([100 * _level(each) for each in runs], 1),
                told([each.ended for each in runs], 3),
                told([100 * each.accuracy for each in runs], 1),
            )
            for kind, runs in by_kind.items()
        ),
    )  # fmt: skip


def _figures(by_kind: Mapping[str, Sequence[Done]], blind: Sequence[BlindCurve]) -> tuple[Curves, ...]:
    costs = tuple(
        Curves(
            caption=f"Training loss against {name}, mean over the seeds",
            x_label=name,
            y_label="nats",
            lines=tuple(_line(kind, runs, column) for kind, runs in by_kind.items()),
        )
        for column, name in enumerate(("steps", "passes over the data", "seconds of processor time"))
    )
    first = [(kind, runs[0].losses[:150]) for kind, runs in by_kind.items()]
    picture = Curves(
        caption="The loss of every step's own samples, first 150 steps of one seed: the picture that a course draws",
        x_label="step",
        y_label="nats",
        lines=tuple(Line(label=kind, x=tuple(map(float, range(1, len(losses) + 1))), y=losses,
                         dashed=kind == "mini batch") for kind, losses in first),
        y_range=(0.0, 1.15 * max(max(losses) for kind, losses in first if kind != "single example")),
    )  # fmt: skip
    edge = next((each for each in blind if each.edge and each.right), None)
    swinging = () if edge is None else (
        Curves(
            caption=f"A full batch at the edge of stability ({edge.setting}): it swings, and is told right",
            x_label="step",
            y_label="nats",
            lines=(Line(label="", x=tuple(map(float, range(1, len(edge.losses) + 1))), y=edge.losses),),
        ),
    )  # fmt: skip
    return (picture, *costs, *swinging)


def _line(kind: str, runs: Sequence[Done], column: int) -> Line:
    length = min(len(each.course) for each in runs)
    rows = np.asarray([each.course[:length] for each in runs]).mean(axis=0)
    return Line(label=kind, x=tuple(rows[:, column].tolist()), y=tuple(rows[:, 3].tolist()), dashed=kind == KINDS[1])


_LIMITS = tuple(
    """One small network, plain SGD at a constant rate; a rate that falls would help the small batches most.
Seconds are those of one core: on processors with thousands of lanes a full batch costs little more than a small one.
Rates come from a grid of three for each kind, half a decade apart.
That mini batches generalise better is not asked here; the held-out accuracy stands in the table.
The blind test is on small networks on this data; logs that average over epochs hide the noise and are another matter.""".splitlines()  # noqa: E501
)
LAB = Lab(question="Full batch, mini batch or single example?", run=_run, takes_source=True)
