"""The table and the figure of the any-learning-rate benchmark, from whatever runs are there.

    python benchmarks/any_learning_rate/table.py benchmarks/results/any_learning_rate.jsonl --figure docs/any-rate.svg

Oracle: of the half-decade grid at seed 101 the rate with the best validation accuracy, rerun on other seeds. Regret of
a run: mean test accuracy of the oracle on that workload and optimizer, over the seeds that are there, minus the run's.
Intervals: 95 %, bootstrap over (workload, optimizer, seed) as a whole, since runs of one seed share weights and order.
"""

import argparse
import json
import math
from collections import defaultdict
from pathlib import Path

import numpy as np

NULL = {"sgd": 0.1, "adamw": 0.01}
"""The best single rate over the calibration problems (estimators.py): what the rival uses whatever the user says."""
GRID_SEED = 101
NAMES = {
    "given": "thalweg, rate given (a)",
    "rescue": "thalweg, rescue after 100 steps (b)",
    "rescue_late": "thalweg, seat taken late",
    "null": "ignore the rate: default + warm-up + cosine + clip",
    "cosine_clip": "the rate + warm-up + cosine + clip",
    "constant": "the rate, constant",
    "oracle": "tuned oracle",
}
COLOURS = {"given": "#0b6e4f", "rescue": "#1f78b4", "null": "#888888", "cosine_clip": "#e08214", "constant": "#b2182b"}
Row = dict[str, object]


def near(one: object, other: float) -> bool:
    """Whether two rates are the same."""
    return one is not None and abs(math.log10(float(str(one)) / other)) < 0.01


def oracle_rates(rows: list[Row]) -> dict[tuple[object, object], float]:
    """The grid's best rate by validation."""
    best: dict[tuple[object, object], Row] = {}
    for row in rows:
        if row["method"] == "cosine_clip" and row["seed"] == GRID_SEED:
            place = row["work"], row["optimizer"]
            if place not in best or row["validation"] > best[place]["validation"]:
                best[place] = row
    return {place: float(str(row["rate"])) for place, row in best.items()}


def gather(rows: list[Row]) -> list[Row]:
    """Runs to judge, with their regret and time ratio; oracle and null are read out of the runs at their rates."""
    rates = oracle_rates(rows)
    fresh = [row for row in rows if row["seed"] != GRID_SEED and (row["work"], row["optimizer"]) in rates]
    truth: dict[tuple[object, ...], dict[object, float]] = defaultdict(dict)
    cost: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for row in fresh:
        place = row["work"], row["optimizer"]
        if row["method"] == "cosine_clip":
            cost[place].append(float(str(row["cpu_seconds"])))
            if near(row["rate"], rates[place]):
                truth[place][row["seed"]] = float(str(row["accuracy"]))
    judged = []
    for row in fresh:
        place = row["work"], row["optimizer"]
        if not truth[place]:
            continue
        methods = [row["method"]]
        if row["method"] == "cosine_clip":
            decade = (
                abs(math.log10(float(str(row["rate"]))) % 1) < 0.01
                or abs(math.log10(float(str(row["rate"]))) % 1) > 0.99
            )
            methods = ["cosine_clip"] if decade else []
            methods += ["oracle"] if near(row["rate"], rates[place]) else []
            methods += ["null"] if near(row["rate"], NULL[str(row["optimizer"])]) else []
        level = float(np.mean(list(truth[place].values())))
        judged.extend(
            {
                **row,
                "method": method,
                "regret": 100 * (level - float(str(row["accuracy"]))),
                "time": float(str(row["cpu_seconds"])) / float(np.median(cost[place])),
                "work_ratio": 1 + float(str(row.get("spent_steps") or 0)) / 1000,
            }
            for method in methods
        )
    return judged


def draws(rows: list[Row]) -> np.ndarray:
    """Bootstrap means of the regret: whole (workload, optimizer, seed) are drawn."""
    groups: dict[tuple[object, ...], list[float]] = defaultdict(list)
    for row in rows:
        groups[row["work"], row["optimizer"], row["seed"]].append(float(str(row["regret"])))
    sums = np.array([[sum(each), len(each)] for each in groups.values()], float)
    chosen = np.random.default_rng(0).integers(0, len(sums), (4000, len(sums)))
    return sums[chosen, 0].sum(1) / sums[chosen, 1].sum(1)


def table(judged: list[Row]) -> str:
    """One line a method."""
    head = (
        "| method | runs | mean regret (95 %) | median | p90 | worst | flatness | success "
        "| time ratio | steps ratio |\n"
        "|---|---|---|---|---|---|---|---|---|---|\n"
    )
    lines = []
    for method, named in NAMES.items():
        part = [row for row in judged if row["method"] == method]
        if not part:
            continue
        regrets = [float(str(row["regret"])) for row in part]
        low, high = np.percentile(draws(part), [2.5, 97.5])
        means: dict[tuple[object, ...], dict[object, list[float]]] = defaultdict(lambda: defaultdict(list))
        for row in part:
            means[row["work"], row["optimizer"]][row["rate"]].append(100 * float(str(row["accuracy"])))
        flat = [max(map(np.mean, each.values())) - min(map(np.mean, each.values())) for each in means.values()]
        cells = [
            named,
            str(len(part)),
            f"{np.mean(regrets):.2f} ({low:.2f} to {high:.2f})",
            f"{np.median(regrets):.2f}",
            f"{np.percentile(regrets, 90):.2f}",
            f"{max(regrets):.2f}",
            "" if method in {"null", "oracle"} else f"{max(flat):.1f}",
            f"{100 * np.mean([value <= 1 for value in regrets]):.0f} %",
            f"{np.median([float(str(row['time'])) for row in part]):.2f}",
            f"{np.mean([float(str(row['work_ratio'])) for row in part]):.2f}",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return head + "\n".join(lines)


def by_rate(judged: list[Row]) -> str:
    """Mean accuracy of each method at each rate, a block a workload and optimizer."""
    blocks = []
    for place in sorted({(str(row["work"]), str(row["optimizer"])) for row in judged}):
        part = [row for row in judged if (row["work"], row["optimizer"]) == place]
        rates = sorted({float(str(row["rate"])) for row in part if row["method"] in {"given", "rescue", "constant"}})
        lines = [
            f"\n{place[0]} {place[1]}: accuracy in %, mean over seeds (n)",
            f"{'':14}" + "".join(f"{rate:>14.0e}" for rate in rates),
        ]
        for method in NAMES:
            cells = []
            for rate in rates:
                values = [
                    100 * float(str(row["accuracy"]))
                    for row in part
                    if row["method"] == method and (near(row["rate"], rate) or method in {"null", "oracle"})
                ]
                cells.append(f"{np.mean(values):>10.1f} ({len(values)})" if values else f"{'-':>14}")
            if any("(" in cell for cell in cells):
                lines.append(f"{method:14}" + "".join(cells))
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def figure(judged: list[Row]) -> str:
    """Accuracy against the starting rate, a panel a workload and optimizer, every method a line; plain SVG."""
    places = sorted({(str(row["work"]), str(row["optimizer"])) for row in judged})
    width, height, gap = 300, 190, 46
    columns = 2
    rows = math.ceil(len(places) / columns)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{columns * (width + gap) + 20}" '
            f'height="{rows * (height + gap) + 60}" font-family="sans-serif" font-size="11">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, place in enumerate(places):
        left, top = gap + number % columns * (width + gap), 24 + number // columns * (height + gap)
        part = [row for row in judged if (row["work"], row["optimizer"]) == place]
        best = max(100 * float(str(row["accuracy"])) for row in part)
        across = lambda rate: left + width * (math.log10(rate) + 6) / 8  # noqa: E731, B023
        down = lambda value: top + height * (1 - value / (1.1 * best))  # noqa: E731, B023
        parts.append(
            f'<text x="{left}" y="{top - 6}">{place[0]} {place[1]}: accuracy in % against the starting rate</text>'
        )
        parts.append(f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="none" stroke="#999"/>')
        parts.extend(
            f'<text x="{across(10.0**power)}" y="{top + height + 14}" text-anchor="middle">1e{power}</text>'
            for power in range(-6, 3, 2)
        )
        parts.extend(
            f'<text x="{left - 4}" y="{down(value) + 4}" text-anchor="end">{value}</text>'
            for value in range(0, int(1.1 * best), 10)
        )
        oracle = [100 * float(str(row["accuracy"])) for row in part if row["method"] == "oracle"]
        y = down(float(np.mean(oracle)))
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y}" y2="{y}" stroke="black" stroke-dasharray="3 3"/>')
        for method, colour in COLOURS.items():
            means: dict[float, list[float]] = defaultdict(list)
            for row in part:
                if row["method"] == method:
                    means[float(str(row["rate"]))].append(100 * float(str(row["accuracy"])))
            if method == "null" and means:
                (values,) = means.values()
                means = {1e-6: values, 1e2: values}
            points = " ".join(f"{across(rate):.1f},{down(float(np.mean(means[rate]))):.1f}" for rate in sorted(means))
            parts.extend(
                f'<circle cx="{across(rate):.1f}" cy="{down(float(np.mean(values))):.1f}" r="2.5" fill="{colour}"/>'
                for rate, values in means.items()
            )
            parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
    for number, (method, colour) in enumerate(COLOURS.items()):
        x, y = 20 + number % 3 * 225, rows * (height + gap) + 28 + number // 3 * 18
        parts.append(f'<rect x="{x}" y="{y}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 6}" font-size="10">{NAMES[method][:44]}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Print, and draw where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--works", default="W3,W4,W5,W6,W7")
    args = parser.parse_args()
    rows = [json.loads(line) for line in args.runs.read_text().splitlines()]
    judged = [row for row in gather(rows) if row["work"] in args.works.split(",")]
    print(table(judged))
    print(by_rate(judged))
    print("\noracle rates:", {f"{w} {o}": f"{r:.3g}" for (w, o), r in oracle_rates(rows).items()})
    ours = [row for row in judged if row["method"] in {"given", "rescue"}]
    null = [row for row in judged if row["method"] == "null"]
    if ours and null:
        means = [np.mean([float(str(row["regret"])) for row in part]) for part in (ours, null)]
        low, high = np.percentile(draws(ours) - np.random.default_rng(1).permutation(draws(null)), [2.5, 97.5])
        print(f"ours minus null, mean regret: {means[0] - means[1]:.2f} ({low:.2f} to {high:.2f}) points")
    if args.figure:
        args.figure.write_text(figure(judged))


if __name__ == "__main__":
    main()
