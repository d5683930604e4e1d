"""`thalweg compare`: any runs side by side, and which difference is more than the seeds' spread."""

import itertools
import json
import math
import os
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from thalweg.core.codec import dumps
from thalweg.core.comparison import ComparedRun, Comparison, Difference, Measured, judge_difference
from thalweg.core.errors import PlanError
from thalweg.core.files import page_to_write, printable, write_atomically
from thalweg.core.history import RunHistory
from thalweg.core.run_log import NamedHistory
from thalweg.histories.reading import read

__all__ = ["compare"]

MOST_RUNS = 200
_NOT_A_CHOICE = {"schema", "seed", "device"}
_LAST = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")


def compare(*runs: str | os.PathLike[str], html: str | os.PathLike[str] | None = None) -> Comparison:
    r"""Put runs side by side.

    Args:
        runs: Run folders, folders of them, or training logs of any framework that `diagnose` reads.
        html: A page to write, with the curves on one axis.

    Returns:
        The runs with what differs, their metrics, and every difference held against the spread over seeds.

    Raises:
        PlanError: Fewer than two runs were named or found, or too many.
        LogError: A log cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name, last in (("a", 0.5), ("b", 0.25)):
        ...         _ = Path(folder, f"{name}.csv").write_text(f"epoch,loss\n0,0.9\n1,{last}\n")
        ...     answer = compare(Path(folder, "a.csv"), Path(folder, "b.csv"))
        >>> answer.differences[0].difference, answer.differences[0].larger_than_seeds
        (0.25, None)
    """
    page = page_to_write(html)
    found, twice = _once(named for run in runs for named in read(run))
    if len(found) < 2:  # noqa: PLR2004 - there must be something to compare
        told = ", ".join(printable(os.fspath(run)) for run in runs) or "nothing"
        raise PlanError(f"a comparison needs two runs, and {told} has {len(found)}: name more")
    if len(found) > MOST_RUNS:
        raise PlanError(f"{len(found)} runs are too many to put side by side: at most {MOST_RUNS}")
    plans = [_choices(named.history) for named in found]
    names = sorted({name for plan in plans for name in plan})
    differing = tuple(name for name in names if len({dumps(plan.get(name)) for plan in plans}) > 1)
    keys = [dumps(plan) if plan else f"log {number}" for number, plan in enumerate(plans)]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys), 1)}
    compared = tuple(
        ComparedRun(
            path=named.place,
            group=numbers[key],
            seed=_seed(named.history),
            plan={name: plan[name] for name in differing if name in plan},
            metrics=_metrics(named),
            history=named,
            format=named.format,
        )
        for named, plan, key in zip(found, plans, keys, strict=True)
    )
    result = Comparison(
        runs=compared,
        differing=differing,
        differences=tuple(_differences(compared)),
        notes=(*twice, *_repeated(compared), *(f"{named.place}: {note}" for named in found for note in named.notes)),
        page=None if page is None else str(page),
    )
    if page is not None:
        from thalweg.rendering.pages.comparison import comparison_report
        from thalweg.rendering.pages.html import render_html

        write_atomically(page, render_html(comparison_report(result), data=True))
    return result


def _once(named: Iterable[NamedHistory]) -> tuple[list[NamedHistory], list[str]]:
    """Runs without those that were named before: beside itself a run would look as if it had been repeated."""
    first: dict[str, NamedHistory] = {}
    twice = [each.place for each in named if first.setdefault(os.path.realpath(each.place), each) is not each]
    return list(first.values()), [f"{place} is named twice and counted once" for place in twice]


def _repeated(runs: Sequence[ComparedRun]) -> Iterator[str]:
    first: dict[tuple[int, int | None], ComparedRun] = {}
    for run in runs:
        like = first.setdefault((run.group, run.seed), run)
        if run.seed is not None and like is not run:
            yield (
                f"{run.path} has plan and seed of {like.path}: they count as one, since the same again tells nothing "
                "about chance"
            )


def _choices(history: RunHistory) -> dict[str, object]:
    """The plan without what only repeats or places a run; a rate that trials chose is an outcome, not a choice."""
    choices = {name: value for name, value in history.plan.items() if name not in _NOT_A_CHOICE}
    if choices.pop("rate_from", "user") == "user":
        return choices
    choices["learning_rate"] = choices.pop("given_rate", "auto")
    return choices


def _seed(history: RunHistory) -> int | None:
    seed = history.plan.get("seed")
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else None


def _metrics(named: NamedHistory) -> dict[str, Measured]:
    history = named.history
    metrics = _recorded(named)
    for name in _LAST:
        signal = history.signal(name)
        if signal is not None and signal.values:
            metrics[f"last {name}"] = Measured(value=signal.values[-1])
    best = history.signal("val_accuracy")
    if best is not None and any(map(math.isfinite, best.values)):
        metrics["best val_accuracy"] = Measured(value=max(filter(math.isfinite, best.values)))
    steps = history.signal("batch_loss")
    if not metrics and steps is not None and steps.values:
        metrics["last batch_loss"] = Measured(value=steps.values[-1])
    if history.epochs:
        metrics["epochs"] = Measured(value=history.epochs)
    return metrics


def _recorded(named: NamedHistory) -> dict[str, Measured]:
    """What a run folder of ours says of itself; nothing where it is not finished, or is no run folder."""
    if named.format != "thalweg run":
        return {}
    try:
        data = json.loads(Path(named.place, "metrics.json").read_text(encoding="utf-8"))
        accuracy, ends = float(data["accuracy"]), data["accuracy_interval"]
        split = str(data.get("split", "held-out"))
        found = {f"{split} accuracy": Measured(value=accuracy, interval=(float(ends[0]), float(ends[1])))}
        if isinstance(data.get("mean_iou"), float):
            low, high = data["mean_iou_interval"]
            found[f"{split} mean IoU"] = Measured(value=data["mean_iou"], interval=(float(low), float(high)))
        return {**found, "seconds": Measured(value=float(data["seconds"]))}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        return {}


def _differences(runs: Sequence[ComparedRun]) -> list[Difference]:
    found = []
    names = dict.fromkeys(name for run in runs for name in run.metrics)
    for metric in names:
        groups: dict[int, dict[int | str, list[float]]] = {}  # by seed: the same again is no draw of chance
        for run in runs:
            measured = run.metrics.get(metric)
            if measured is not None and math.isfinite(measured.value):
                draw = run.path if run.seed is None else run.seed
                groups.setdefault(run.group, {}).setdefault(draw, []).append(measured.value)
        values: Mapping[int, Sequence[float]] = {
            group: [statistics.fmean(each) for each in draws.values()] for group, draws in groups.items()
        }
        found += [judge_difference(metric, values, one, other) for one, other in itertools.combinations(groups, 2)]
    return found
