"""Every rule over the recorded sweeps: how often each finding is made, and how often on runs that are healthy.

    python benchmarks/diagnosis_findings.py benchmarks/sweeps/runs.jsonl.gz

Healthy means: the final test accuracy lies within 3 % of the way from chance below that of the tuned rate
(`about_right`), and the validation loss does not end above 1.1 times its lowest (that would be overfitting, a fault
whatever the rate). A false alarm is a finding of severity warning or error on a healthy run. The verdict on the
learning rate is given twice: as the label says, which shows the rules alone, and as the shipped estimate says. Runs are
judged in full and on their first quarter. Beware: the shipped estimate was fitted on these sweeps; how it does on
problems left out stands in the results of benchmarks/sweeps/score.py.
"""

import argparse
import json
import platform
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent / "sweeps"))
from table import CLASSES, Run, load

from thalweg.core.finding import Finding
from thalweg.core.history import RunHistory
from thalweg.core.learning_rate import LearningRateEstimate
from thalweg.core.signal import Signal
from thalweg.diagnosis.case import open_case
from thalweg.diagnosis.judge import judge
from thalweg.diagnosis.learning_rate import estimate

RESULT = Path(__file__).parent / "results" / "diagnosis_findings.json"
GRAVE = {"warning", "error"}


def history(run: Run, share: float) -> RunHistory:
    """The run as a log would hold it, or its first part."""
    signals = []
    for name, values in run.curves.items():
        kept = values if name == "batch_loss" else values[: max(1, round(share * len(values)))]
        steps = tuple(range(1, len(kept) + 1))
        signals.append(Signal(name=name, unit="1", steps=steps, values=tuple(map(float, kept))))
    return RunHistory(signals=tuple(signals))


def told(run: Run) -> LearningRateEstimate:
    verdict = "undetermined" if run.label < 0 else CLASSES[run.label]
    return LearningRateEstimate(verdict=verdict, confidence=1.0)


def overfitted(run: Run) -> bool:
    values = run.curves.get("val_loss", np.empty(0))
    values = values[np.isfinite(values)]
    return len(values) > 3 and float(np.median(values[-max(1, len(values) // 10) :])) > 1.1 * float(values.min())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=Path)
    parser.add_argument("--verdict", choices=("label", "estimate", "both"), default="both")
    parser.add_argument("--show", help="print the runs that this finding is a false alarm on")
    parser.add_argument("--no-write", action="store_true")
    options = parser.parse_args()
    runs = load(options.runs)
    print(f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, numpy {np.__version__}")
    print(f"{len(runs):,} runs of {len({run.problem for run in runs})} problems")
    report: dict[str, object] = {}
    if options.verdict != "both" and RESULT.exists():  # the other half, measured before
        report = json.loads(RESULT.read_text())
    report |= {"runs": len(runs), "problems": len({run.problem for run in runs})}
    for verdict in ("label", "estimate") if options.verdict == "both" else (options.verdict,):
        for share in (1.0, 0.25):
            key = f"{verdict}, {'full' if share == 1 else 'first quarter'}"
            report[key] = judged(runs, verdict, share, options.show)
    if not options.no_write:
        RESULT.write_text(json.dumps(report, indent=1) + "\n")
        print(f"written: {RESULT.name}")


def judged(runs: list[Run], verdict: str, share: float, show: str | None) -> dict[str, object]:
    rates: dict[str, Counter[str]] = defaultdict(Counter)
    totals: Counter[str] = Counter()
    alarms, healthy, started = 0, 0, time.perf_counter()
    for run in runs:
        recorded = history(run, share)
        findings = judge(open_case(recorded, told(run) if verdict == "label" else estimate(recorded)))
        group = "between" if run.label < 0 else CLASSES[run.label]
        if run.label == 1:
            group = "overfitted" if overfitted(run) else "healthy"
        totals[group] += 1
        grave = [finding for finding in findings if finding.severity in GRAVE]
        for finding in findings:
            rates[f"{finding.name} ({'grave' if finding.severity in GRAVE else 'info'})"][group] += 1
        if group == "healthy":
            healthy += 1
            alarms += bool(grave)
            _show(run, grave, show)
        rates["any warning or error"][group] += bool(grave)
    seconds = time.perf_counter() - started
    groups = ("too_low", "healthy", "overfitted", "too_high", "between")
    print(f"\nverdict by {verdict}, {share:.0%} of each run; {1000 * seconds / len(runs):.1f} ms a run")
    print(f"{'':40}" + "".join(f"{group:>12}" for group in groups))
    print(f"{'runs':40}" + "".join(f"{totals[group]:>12,}" for group in groups))
    for name in sorted(rates):
        print(f"{name:40}" + "".join(f"{rates[name][group] / max(1, totals[group]):>12.1%}" for group in groups))
    return {
        "runs": dict(totals),
        "false_alarms": alarms / max(1, healthy),
        "rates": {
            name: {group: round(rates[name][group] / max(1, totals[group]), 4) for group in groups}
            for name in sorted(rates)
        },
    }


def _show(run: Run, grave: list[Finding], show: str | None) -> None:
    if show and any(finding.name == show for finding in grave):
        print(f"{run.problem} rate {run.rate:g}: {next(f.claim for f in grave if f.name == show)}")


if __name__ == "__main__":
    main()
