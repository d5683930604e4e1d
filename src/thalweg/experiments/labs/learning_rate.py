"""Too low, right, too high: nine learning rates on one network, each curve diagnosed, beside a rate that is chosen."""

import math
import statistics
from collections.abc import Mapping, Sequence

from thalweg.core.lab import LabFinding, LabResult
from thalweg.core.report import Curves, Line, Table
from thalweg.experiments.data import LabData, lab_data
from thalweg.experiments.foreseen import Work, foresee
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.lab_network import lab_network
from thalweg.experiments.many import in_processes
from thalweg.experiments.paired import Paired, Verdict, paired, verdict
from thalweg.experiments.rate_runs import Bench, Case, Done, Size, train

__all__ = ["LAB"]

RATES = tuple(10 ** (-5 + 0.75 * place) for place in range(9))
"""From a hundred-thousandth to ten."""
PLAIN, ADAPTIVE = "SGD with momentum", "Adam"
SIDES = {"too_low": "too low", "about_right": "right", "too_high": "too high"}
OFF = 10.0
"""A rate this many times off the best is one that the diagnosis must see."""
CLEAR = 0.02
"""Accuracy that a curve must lose at its ends to be called U-shaped, and may vary by to be called flat."""
LOOKING = 2.0
"""So many times the updates alone: all samples are judged after every pass, and a pilot tries rates."""
FULL = Size(side=64, samples=4000, epochs=15, batch=64, seeds=3)
QUICK = Size(side=32, samples=500, epochs=12, batch=32, seeds=3)


def _run(request: LabRequest) -> LabResult:
    size = QUICK if request.quick else FULL
    data = lab_data(request.source, side=size.side, listener=request.listener, most=size.samples)
    bench = Bench(data=data, size=size)
    cases = [
        Case(name=name, rate=rate, seed=request.seed + number, repaired=repaired)
        for name, repaired in ((PLAIN, False), (PLAIN, True), (ADAPTIVE, False))
        for rate in RATES
        for number in range(size.seeds)
    ]
    work = Work(
        spec=lab_network(data.shape, len(data.classes)),
        steps=LOOKING * size.epochs * math.ceil(len(data.train) / size.batch),
        batch=size.batch,
        trainings=len(cases),
    )
    foresee("learning-rate", [work], request)
    request.listener.say(f"{len(RATES)} rates, as they are, repaired, and with {ADAPTIVE} ...")
    done = in_processes(train, bench, cases, workers=request.workers, listener=request.listener)
    found = {
        title: {rate: [each for each in done if (each.case.name, each.case.repaired, each.case.rate) == (*kind, rate)]
                for rate in RATES}
        for title, kind in _TITLES.items()
    }  # fmt: skip
    best = min(RATES, key=lambda rate: _held_out_loss(found[PLAIN][rate]))
    return LabResult(
        name="learning-rate",
        question="What do too low, right and too high learning rates look like, and what cures a wrong one?",
        setup=_setup(bench),
        table=_table(found),
        findings=_findings(found, best),
        limits=_LIMITS,
        figures=_figures(found, best, data),
    )


_REPAIRED = "rate chosen by thalweg"
_TITLES: Mapping[str, tuple[str, bool]] = {PLAIN: (PLAIN, False), _REPAIRED: (PLAIN, True), ADAPTIVE: (ADAPTIVE, False)}
Sweep = Mapping[float, Sequence[Done]]


def _accuracy(runs: Sequence[Done]) -> float:
    return statistics.fmean(each.accuracy for each in runs)


def _held_out_loss(runs: Sequence[Done]) -> float:
    """Lowest held-out loss of the course, mean over the seeds; infinite where one broke. Steadier than accuracy."""
    if any(each.broken for each in runs):
        return math.inf
    return statistics.fmean(min(row[3] for row in each.course) for each in runs)


def _findings(found: Mapping[str, Sweep], best: float) -> tuple[LabFinding, ...]:
    plain, repaired, adaptive = (found[title] for title in _TITLES)
    low, high = (_pairs(plain, plain, best, end) for end in (RATES[0], RATES[-1]))
    flat = {rate: _pairs(plain, repaired, best, rate) for rate in RATES}
    worst = max(flat, key=lambda rate: flat[rate].mean)
    wide = {title: _width(found[title]) for title in _TITLES}
    return (
        LabFinding(
            claim="Accuracy against the rate is shaped like a U turned over: too low and too high both lose",
            verdict=verdict(low.sign(beyond=CLEAR), high.sign(beyond=CLEAR)),
            observed=f"best at {best:.2g} ({100 * _accuracy(plain[best]):.1f} %); the lowest rate loses "
            f"{low.said(factor=100, unit=' points')}, the highest {high.said(factor=100, unit=' points')}",
            fails="one number of steps: with more of them lower rates come closer",
        ),
        LabFinding(
            claim="Left to thalweg, the curve is flat: it does not matter which rate one starts with",
            verdict=_flat(flat),
            observed=f"against the best fixed rate the worst start ({worst:.2g}) loses "
            f"{flat[worst].said(factor=100, unit=' points')}; {wide[_REPAIRED]} of {len(RATES)} starts end within "
            f"{100 * CLEAR:.0f} points, {wide[PLAIN]} without repair",
            fails="the trials cost time: about a tenth of the updates; in short runs like this more than in long ones",
        ),
        _diagnosed(plain, best),
        _overfits(plain, best),
        LabFinding(
            claim=f"An adaptive optimizer ({ADAPTIVE}) cures a wrong rate",
            verdict="supported" if wide[ADAPTIVE] >= len(RATES) - 1 else "contradicted"
            if wide[ADAPTIVE] <= wide[PLAIN] else "undecided",
            observed=f"{wide[ADAPTIVE]} of {len(RATES)} rates end within {100 * CLEAR:.0f} points of its best, "
            f"{wide[PLAIN]} with {PLAIN}; from a rate of {RATES[0]:.0e} it reaches "
            f"{100 * _accuracy(adaptive[RATES[0]]):.1f} % (SGD {100 * _accuracy(plain[RATES[0]]):.1f} %), from "
            f"{RATES[-1]:g} {100 * _accuracy(adaptive[RATES[-1]]):.1f} % ({100 * _accuracy(plain[RATES[-1]]):.1f} %)",
            fails="it has a right rate of its own, elsewhere: what is too low for SGD may be right for it",
        ),
    )  # fmt: skip


def _pairs(one: Sweep, other: Sweep, first: float, second: float) -> Paired:
    return paired([each.accuracy for each in one[first]], [each.accuracy for each in other[second]])


def _flat(against: Mapping[float, Paired]) -> Verdict:
    """Supported where no start loses, contradicted where one surely does."""
    if all(each.mean <= CLEAR for each in against.values()):
        return "supported"
    return "contradicted" if any(each.low > CLEAR for each in against.values()) else "undecided"


def _width(sweep: Sweep) -> int:
    best = max(_accuracy(runs) for runs in sweep.values())
    return sum(_accuracy(runs) >= best - CLEAR for runs in sweep.values())


def _diagnosed(plain: Sweep, best: float) -> LabFinding:
    """Rates far off must be seen as such, and the best never be called wrong on the far side."""
    far = [each for rate in RATES for each in plain[rate] if not best / OFF * 1.01 < rate < best * OFF / 1.01]
    right = [
        each.said == "too_low" if each.case.rate < best else each.said == "too_high" or each.broken for each in far
    ]
    broke = sum(each.broken for each in far)
    near = [each.said for each in plain[best]]
    share = statistics.fmean(right) if right else 0.0
    return LabFinding(
        claim="The curves alone tell a rate that is too low from one that is too high",
        verdict="supported" if share >= 0.9 else "contradicted" if share <= 0.5 else "undecided",  # noqa: PLR2004
        observed=f"of {len(far)} trainings at rates ten times off or more the diagnosis, rate unseen, calls "
        f"{sum(right)} right ({broke} of them broke within an epoch, which says it); at the best rate "
        f"it says {', '.join(SIDES.get(each, each) for each in near)}",
        fails="; ".join(sorted({f"{each.case.rate:.2g} called {SIDES.get(each.said, each.said)}"
                                for each, good in zip(far, right, strict=True) if not good})) or "nowhere here",
    )  # fmt: skip


def _overfits(plain: Sweep, best: float) -> LabFinding:
    higher = [rate for rate in RATES if rate > best and not any(each.broken for each in plain[rate])]
    gaps = {rate: 100 * statistics.fmean(each.gap for each in plain[rate]) for rate in RATES}
    told = ", ".join(f"{rate:.2g}: {gap:+.1f}" for rate, gap in gaps.items())
    if not higher:
        return LabFinding(claim="A high rate overfits", verdict="undecided",
                          observed=f"above the best rate every training broke; gaps in points {told}")  # fmt: skip
    more = [paired([each.gap for each in plain[rate]], [each.gap for each in plain[best]]) for rate in higher]
    return LabFinding(
        claim="A high rate overfits",
        verdict=verdict(*(each.sign() for each in more)),
        observed=f"gap between training and held-out accuracy in points, by rate: {told}; one step above the best "
        f"against the best {more[0].said(factor=100, unit=' points')}",
        fails="a rate that is too high loses on training and held-out samples alike: that is no overfitting",
    )


def _setup(bench: Bench) -> dict[str, str]:
    size = bench.size
    return {
        "data": bench.data.said(),
        "network": "two convolutions and two dense layers, no normalisation, no dropout",
        "rates": f"{len(RATES)} from {RATES[0]:g} to {RATES[-1]:g}, 0.75 decades apart, constant",
        "trainings": f"{PLAIN}; the same with a pilot on board, for which the rate is only the start; {ADAPTIVE}",
        "steps": f"{size.epochs} passes in batches of {size.batch}",
        "seeds": f"{size.seeds}, the same weights and order for all",
        "diagnosis": "of training and held-out loss and accuracy after every pass; the rate is not told",
    }


def _table(found: Mapping[str, Sweep]) -> Table:
    plain, repaired, adaptive = (found[title] for title in _TITLES)

    def percent(runs: Sequence[Done]) -> str:
        return f"{100 * _accuracy(runs):.1f}"

    return Table(
        caption="Held-out accuracy in %, means over seeds, and what the diagnosis says of the curves of SGD",
        header=("rate", PLAIN, "called", "other findings", "gap, points", _REPAIRED, ADAPTIVE),
        rows=tuple(
            (
                f"{rate:.2g}",
                percent(plain[rate]) + (" (broke)" if any(each.broken for each in plain[rate]) else ""),
                ", ".join(dict.fromkeys(SIDES.get(each.said, each.said) for each in plain[rate])),
                ", ".join(sorted({name for each in plain[rate] for name in each.found
                                  if not name.startswith("learning_rate")})) or "-",
                f"{100 * statistics.fmean(each.gap for each in plain[rate]):+.1f}",
                percent(repaired[rate]),
                percent(adaptive[rate]),
            )
            for rate in RATES
        ),
    )  # fmt: skip


def _figures(found: Mapping[str, Sweep], best: float, data: LabData) -> tuple[Curves, ...]:
    places = tuple(math.log10(rate) for rate in RATES)
    lines = [Line(label=title, x=places, y=tuple(100 * _accuracy(sweep[rate]) for rate in RATES),
                  dashed=number == 0) for number, (title, sweep) in enumerate(found.items())]  # fmt: skip
    lines.append(
        Line(label="largest class alone", x=(places[0], places[-1]), y=(100 * data.majority,) * 2, dashed=True)
    )
    whole = Curves(
        caption="Held-out accuracy against the rate one starts with: a U turned over, and the line that repair makes",
        x_label="learning rate, powers of ten",
        y_label="%",
        lines=tuple(lines),
    )
    at = RATES.index(best)
    chosen = ((RATES[max(0, at - 3)], "low"), (best, "the best"), (RATES[min(len(RATES) - 1, at + 2)], "high"))
    return (whole, *(_course(found[PLAIN][rate][0], word) for rate, word in chosen))


def _course(done: Done, word: str) -> Curves:
    epochs = tuple(row[0] for row in done.course)
    said = SIDES.get(done.said, "nothing for sure")
    factor = f", {done.factor:.2g} times the best one" if math.isfinite(done.factor) else ""
    ends = [row[column] for row in done.course for column in (1, 3) if math.isfinite(row[column])]
    return Curves(
        caption=f"Rate {done.case.rate:.2g} ({word}): the diagnosis says {said}{factor}",
        x_label="epoch",
        y_label="loss, nats",
        lines=(
            Line(label="training", x=epochs, y=tuple(row[1] for row in done.course)),
            Line(label="held out", x=epochs, y=tuple(row[3] for row in done.course), dashed=True),
        ),
        y_range=(0.0, min(1.1 * max(ends), _HIGHEST)) if ends and min(ends) < _HIGHEST else None,
        log_y=bool(ends) and min(ends) >= _HIGHEST,
    )


_HIGHEST = 5.0
"""Nats that a figure of losses shows: a loss that leaps would flatten the rest, unless all of it lies above."""
_LIMITS = tuple(
    """One small network without batch normalisation, which would make high rates last longer; constant rates.
The best rate is the one with the lowest held-out loss: chosen on the samples it is judged by, which flatters it.
The diagnosis sees a curve of a few epochs: a longer one tells more.
An interval over two or three seeds is wide.""".splitlines()
)
LAB = Lab(question="What do too low, right and too high learning rates look like?", run=_run, takes_source=True)
