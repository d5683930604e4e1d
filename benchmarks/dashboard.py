"""How fast the live page is: 500 runs listed, and a run of a million steps drawn, on the server and in Chromium.

    python benchmarks/dashboard.py [--repeats 5] [--out benchmarks/results/dashboard.json]

The runs are made in a temporary folder from rows as `thalweg train` writes them. "cold" is a server that has seen
nothing; "warm" is every later second of an open page. In Chromium (skipped where there is none) the time runs from the
request for the page to the last row or chart in its document, server included; the first rows are shown before the
others are made.
"""

import argparse
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

from thalweg.core.codec import dumps
from thalweg.core.plan import TrainingPlan
from thalweg.dashboard.feed import Feed, detail
from thalweg.dashboard.resuming import Resumed
from thalweg.dashboard.shelf import Shelf
from thalweg.dashboard.tongue import Tongue
from thalweg.workbench.runs.steps import STEP_COLUMNS

RUNS, EPOCHS, STEPS = 500, 60, 1_000_000
PROBE = """
(async () => {{
  const began = performance.timeOrigin, found = () => {found};
  while (!found()) await new Promise((go) => setTimeout(go, 5));
  await new Promise(requestAnimationFrame);
  document.title = `measured ${{(Date.now() - began) / 1000}}`;
}})()
"""


def many_runs(root: pathlib.Path) -> None:
    rows = [
        f"{k},{2 / k:.10g},{1 - 1 / k:.10g},{2.2 / k:.10g},{1 - 1.1 / k:.10g},0.001,{k},250"
        for k in range(1, EPOCHS + 1)
    ]
    names = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second"
    metrics = {"schema": 1, "accuracy": 0.9, "accuracy_interval": [0.88, 0.92], "split": "validation", "seconds": 60}
    evaluation = {"confusion": np.ones((10, 10), dtype=int).tolist(), "roc": np.linspace(0, 1, 200).tolist()}
    for number in range(RUNS):
        run = root / f"run-{number:03d}"
        run.mkdir(parents=True)
        (run / "plan.toml").write_text(TrainingPlan(source="photos", epochs=EPOCHS, seed=number).to_toml())
        (run / "history.csv").write_text("\n".join([names, *rows]) + "\n")
        (run / "metrics.json").write_text(json.dumps({**metrics, "evaluation": evaluation}))
        (run / "findings.json").write_text(json.dumps({"schema": 1, "findings": []}))
        (run / "report.html").write_text("<!doctype html>")
        os.utime(run, (time.time() - 3600,) * 2)


def long_run(run: pathlib.Path) -> None:
    run.mkdir(parents=True)
    (run / "plan.toml").write_text(TrainingPlan(source="photos", epochs=1000).to_toml())
    random = np.random.default_rng(1)
    loss, norm = random.lognormal(-1, 0.4, STEPS), random.lognormal(0.5, 0.5, STEPS)
    loss[777_777] = 99.5  # the one spike that must be seen
    empty = "," * (len(STEP_COLUMNS) - 7)
    with (run / "steps.csv").open("w") as file:
        file.write(",".join(STEP_COLUMNS) + "\n")
        for k in range(STEPS):
            rate = 1e-3 * (1 - k / STEPS)
            file.write(
                f"{k + 1},{k // 1000 + 1},{loss[k]:.7g},{loss[k]:.7g},{norm[k]:.7g},{rate:.7g},{k * 0.01:.7g}{empty}\n"
            )
    os.utime(run, (time.time() - 3600,) * 2)


def timed(work: object) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    work()  # type: ignore[operator]
    return time.perf_counter() - wall, time.process_time() - processor


def listing(root: pathlib.Path) -> dict[str, tuple[float, float]]:
    feed = Feed(Shelf(root), (), Resumed(), Tongue("en"))
    cold = timed(feed.news)
    return {"500 runs listed, cold": cold, "500 runs listed, warm": timed(feed.news)}


def drawing(root: pathlib.Path) -> dict[str, tuple[float, float]]:
    shelf = Shelf(root)
    ((key, _),) = shelf.states().items()
    cold = timed(lambda: dumps(detail(shelf, key, Tongue("en"))))
    warm = timed(lambda: dumps(detail(shelf, key, Tongue("en"))))
    charts = {chart["key"]: chart for chart in detail(shelf, key, Tongue("en"))["charts"]}  # type: ignore[index]
    assert max(charts["batch_loss"]["lines"][0]["high"]) == 99.5  # noqa: S101 - the spike is there
    return {"a million steps drawn up, cold": cold, "a million steps drawn up, warm": warm}


def in_browser(root: pathlib.Path, found: str, at: str = "") -> float | None:
    """Seconds from the request for the page to what is wanted in its document."""
    from browser import Browser, find_chromium  # beside this file

    chromium = find_chromium()
    if chromium is None:
        return None

    secret = "benchmark-of-the-live-page"  # noqa: S105 - of this run alone
    command = [sys.executable, "-m", "thalweg", "serve", str(root), "--port", "0", "--token", secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None  # noqa: S101 - a pipe
        address = server.stdout.readline().strip() + at
        try:
            with Browser(chromium) as tab:
                tab("Page.navigate", url=address)
                tab.value(PROBE.format(found=found))
                return float(str(tab.value("document.title")).split()[-1])
        finally:
            server.terminate()


def key_of(root: pathlib.Path) -> str:
    return next(iter(Shelf(root).states()))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "results" / "dashboard.json"
    )
    options = parser.parse_args()
    taken: dict[str, list[tuple[float, float]]] = {}
    browser: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        many, long = pathlib.Path(folder, "many"), pathlib.Path(folder, "long")
        many_runs(many)
        long_run(long / "run")
        for _ in range(options.repeats):
            for name, pair in {**listing(many), **drawing(long)}.items():
                taken.setdefault(name, []).append(pair)
            first = in_browser(many, "document.querySelectorAll('.runs tbody tr').length >= 20")
            rows = in_browser(many, f"document.querySelectorAll('.runs tbody tr').length >= {RUNS}")
            charts = in_browser(long, "document.querySelectorAll('.plot svg').length >= 3", f"#/run/{key_of(long)}")
            shown = {"first of 500 runs on the page": first, "500 runs on the page": rows}
            for name, seconds in {**shown, "a million steps on the page": charts}.items():
                if seconds is not None:
                    browser.setdefault(name, []).append(seconds)
    result = {
        "hardware": f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}",
        "python": platform.python_version(),
        "packages": {name: importlib.metadata.version(name) for name in ("numpy", "starlette", "uvicorn")},
        "n": options.repeats,
        "seconds": {
            name: {
                "median": statistics.median(wall for wall, _ in pairs),
                "range": [min(pairs)[0], max(pairs)[0]],
                "processor_median": statistics.median(processor for _, processor in pairs),
            }
            for name, pairs in taken.items()
        }
        | {
            name: {"median": statistics.median(values), "range": [min(values), max(values)]}
            for name, values in browser.items()
        },
    }
    for name, numbers in result["seconds"].items():  # type: ignore[attr-defined]
        told = f", of the processor {numbers['processor_median']:.3f} s" if "processor_median" in numbers else ""
        low, high = numbers["range"]
        print(f"{name:<34} {numbers['median']:.3f} s ({low:.3f} to {high:.3f}){told}")
    options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
