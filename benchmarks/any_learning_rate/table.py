"""The table and the figure of the any-learning-rate benchmark, from whatever runs are there.

    cd benchmarks/results
    python ../any_learning_rate/table.py any_learning_rate.jsonl any_learning_rate_rivals.jsonl \
        --figure ../../docs/any-learning-rate.svg

Oracle: of the half-decade grid at seed 101 the rate with the best validation accuracy, rerun on other seeds. Regret of
a run: mean test accuracy of the oracle on that workload and optimizer, over the seeds that are there, minus the run's.
Intervals: 95 %, bootstrap over (workload, optimizer, seed) as a whole, since runs of one seed share weights and order.
Differences are those of pairs of runs with the same workload, optimizer, seed and rate, drawn so, too.
Rivals stand for SGD or AdamW (`rivals.py`) and are held to that oracle; a run that ended before its steps were done
counts with the accuracy it left, and not for the time.
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
    "valley": "finder: fastai valley",
    "steep": "finder: fastai steepest",
    "steepest": "finder: Lightning steepest",
    "prodigy": "Prodigy (for AdamW)",
    "prodigy_fed": "Prodigy, fed the rate",
    "dadapt": "D-Adaptation",
    "dadapt_fed": "D-Adaptation, fed the rate",
    "dog": "DoG, averaged (for SGD)",
    "dog_fed": "DoG, fed the rate",
    "ldog": "L-DoG, averaged (for SGD)",
    "ldog_fed": "L-DoG, fed the rate",
    "schedule_free": "Schedule-Free",
    "schedule_free_fed": "Schedule-Free, fed the rate",
}
COLOURS = {"given": "#0b6e4f", "rescue": "#1f78b4", "null": "#888888", "cosine_clip": "#e08214", "constant": "#b2182b"}
RIVALS = {
    "valley": "#6a3d9a",
    "steep": "#e7298a",
    "steepest": "#000000",
    "prodigy": "#a6561d",
    "dadapt": "#7a8b00",
    "dog": "#00a5cf",
    "ldog": "#4361ee",
    "schedule_free": "#d4a000",
}
"""Thin lines where they are fed the rate; where they take none, a mark right of the axis."""
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
        times = [float(str(row["time"])) for row in part if not row.get("ended")]
        cells = [
            named,
            str(len(part)),
            f"{np.mean(regrets):.2f} ({low:.2f} to {high:.2f})",
            f"{np.median(regrets):.2f}",
            f"{np.percentile(regrets, 90):.2f}",
            f"{max(regrets):.2f}",
            "" if method in {"null", "oracle"} or part[0]["rate"] is None else f"{max(flat):.1f}",
            f"{100 * np.mean([value <= 1 for value in regrets]):.0f} %",
            f"{np.median(times):.2f}" if times else "",
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
            f"{'':18}" + "".join(f"{rate:>14.0e}" for rate in rates),
        ]
        for method in NAMES:
            cells = []
            for rate in rates:
                values = [
                    100 * float(str(row["accuracy"]))
                    for row in part
                    if row["method"] == method
                    and (row["rate"] is None or near(row["rate"], rate) or method in {"null", "oracle"})
                ]
                cells.append(f"{np.mean(values):>10.1f} ({len(values)})" if values else f"{'-':>14}")
            if any("(" in cell for cell in cells):
                lines.append(f"{method:18}" + "".join(cells))
        blocks.append("\n".join(lines))
    return "\n".join(blocks)


def gains(judged: list[Row], ours: set[str], rival: str) -> dict[tuple[str, str, object], list[float]]:
    """Points of accuracy that each run of ours gains on the rival's of the same workload, optimizer, seed and rate.

    A rival that takes no rate, or whatever rate, has one run for all rates of a seed.
    """
    theirs: dict[tuple[object, ...], list[tuple[object, float]]] = defaultdict(list)
    for row in judged:
        if row["method"] == rival:
            rate = None if rival in {"null", "oracle"} else row["rate"]
            theirs[row["work"], row["optimizer"], row["seed"]].append((rate, 100 * float(str(row["accuracy"]))))
    found: dict[tuple[str, str, object], list[float]] = defaultdict(list)
    for row in judged:
        place = str(row["work"]), str(row["optimizer"]), row["seed"]
        if row["method"] in ours:
            same = [value for rate, value in theirs[place] if rate is None or near(rate, float(str(row["rate"])))]
            found[place] += [100 * float(str(row["accuracy"])) - float(np.mean(same))] if same else []
    return {place: each for place, each in found.items() if each}


def interval(groups: list[list[float]]) -> tuple[float, float]:
    """95 % of the mean gain where whole groups are drawn."""
    sums = np.array([[sum(each), len(each)] for each in groups], float)
    chosen = np.random.default_rng(0).integers(0, len(sums), (4000, len(sums)))
    low, high = np.percentile(sums[chosen, 0].sum(1) / sums[chosen, 1].sum(1), [2.5, 97.5])
    return float(low), float(high)


def against(judged: list[Row]) -> str:
    """What ours gain on each rival: pairs of runs, drawn by workload, optimizer and seed; for null by workload, too."""
    lines = []
    for method in ("null", *(name for name in NAMES if name.removesuffix("_fed") in RIVALS)):
        ours = {"given", "rescue"} if method == "null" else {"given"}
        pairs = gains(judged, ours, method)
        if len(pairs) < 2:
            continue
        low, high = interval([*pairs.values()])
        mean, count = np.mean([value for each in pairs.values() for value in each]), sum(map(len, pairs.values()))
        line = (
            f"{'ours' if method == 'null' else 'given'} minus {method:18} {mean:6.2f} ({low:.2f} to {high:.2f}) points"
        )
        line += f", {count} pairs of {len(pairs)} (workload, optimizer, seed)"
        if method == "null":
            works = {place[0]: [] for place in pairs}
            for place, each in pairs.items():
                works[place[0]] += each
            low, high = interval([*works.values()])
            line += f"; by {len(works)} workloads as a whole {low:.2f} to {high:.2f}"
        lines.append(line)
    return "\n".join(lines)


WIDTH, HEIGHT, GAP, COLUMNS, ASIDE = 270, 190, 46, 2, 80
"""Of a panel, in points; `ASIDE`: the strip for methods that take no rate."""


def panel(part: list[Row], title: str, left: float, top: float) -> list[str]:
    """Accuracy against the starting rate for a workload and optimizer, and beside it what takes no rate."""
    best = max(100 * float(str(row["accuracy"])) for row in part)
    across = lambda rate: left + WIDTH * (math.log10(rate) + 6) / 8  # noqa: E731
    down = lambda value: top + HEIGHT * (1 - value / (1.1 * best))  # noqa: E731
    means: dict[str, dict[object, float]] = defaultdict(dict)
    for method in NAMES:
        groups: dict[object, list[float]] = defaultdict(list)
        for row in part:
            if row["method"] == method:
                groups[None if method in {"oracle", "null"} else row["rate"]].append(100 * float(str(row["accuracy"])))
        means[method] = {rate: float(np.mean(each)) for rate, each in groups.items()}
    parts = [
        f'<text x="{left}" y="{top - 6}">{title}: accuracy in % against the starting rate</text>',
        f'<rect x="{left}" y="{top}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        f'<rect x="{left + WIDTH}" y="{top}" width="{ASIDE}" height="{HEIGHT}" fill="#f6f6f6" stroke="#999"/>',
        f'<text x="{left + WIDTH + ASIDE / 2}" y="{top + 10}" text-anchor="middle" font-size="9">takes no rate</text>',
    ]
    parts.extend(
        f'<text x="{across(10.0**power)}" y="{top + HEIGHT + 14}" text-anchor="middle">1e{power}</text>'
        for power in range(-6, 3, 2)
    )
    parts.extend(
        f'<text x="{left - 4}" y="{down(value) + 4}" text-anchor="end">{value}</text>'
        for value in range(0, int(1.1 * best), 10)
    )
    for method, colour, dash in (("oracle", "black", "3 3"), ("null", COLOURS["null"], "none")):
        if means[method]:
            y = down(means[method][None])
            parts.append(
                f'<line x1="{left}" x2="{left + WIDTH + ASIDE}" y1="{y}" y2="{y}" stroke="{colour}" '
                f'stroke-width="{1 if method == "oracle" else 2}" stroke-dasharray="{dash}"/>'
            )
    fed = {f"{name}_fed": colour for name, colour in RIVALS.items()}
    for method, colour in {**fed, **COLOURS}.items():
        places = sorted((across(float(str(rate))), down(y)) for rate, y in means[method].items() if rate is not None)
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        thick = 0.8 if method in fed else 2
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{thick}"/>')
        parts.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{0.8 + thick}" fill="{colour}"/>' for x, y in places)
    parts.extend(
        mark(method, left + WIDTH + 6 + ASIDE * slot / len(RIVALS), down(means[method][None]))
        for slot, method in enumerate(RIVALS)
        if means[method]
    )
    return parts


def mark(method: str, x: float, y: float) -> str:
    """A square for a finder, a circle for an optimizer."""
    if method in {"valley", "steep", "steepest"}:
        return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{RIVALS[method]}"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{RIVALS[method]}"/>'


def figure(judged: list[Row]) -> str:
    """A panel a workload and optimizer, every method a line or a mark; plain SVG."""
    places = sorted({(str(row["work"]), str(row["optimizer"])) for row in judged})
    across, down = WIDTH + ASIDE + GAP, HEIGHT + GAP
    bottom = math.ceil(len(places) / COLUMNS) * down
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * across + 20}" '
            f'height="{bottom + 130}" font-family="sans-serif" font-size="11">'
        ),
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for number, place in enumerate(places):
        part = [row for row in judged if (row["work"], row["optimizer"]) == place]
        left, top = GAP + number % COLUMNS * across, 24 + number // COLUMNS * down
        parts.extend(panel(part, " ".join(place), left, top))
    seen = {row["method"] for row in judged}
    for number, method in enumerate(name for name in [*COLOURS, "oracle", *RIVALS] if name in seen):
        x, y = 20 + number % 3 * 260, bottom + 28 + number // 3 * 18
        if method in RIVALS:
            parts.append(mark(method, x + 7, y + 2))
        else:
            dash = ' stroke-dasharray="3 3"' if method == "oracle" else ""
            colour = COLOURS.get(method, "black")
            parts.append(f'<path d="M{x} {y + 2}h14" stroke="{colour}" stroke-width="{1 if dash else 2}"{dash}/>')
        thin = "; thin: fed the rate" if f"{method}_fed" in NAMES else ""
        parts.append(f'<text x="{x + 18}" y="{y + 6}" font-size="10">{NAMES[method]}{thin}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> None:
    """Print, and draw where asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--works", default="W3,W4,W5,W6,W7")
    args = parser.parse_args()
    rows = [json.loads(line) for file in args.runs for line in file.read_text().splitlines()]
    judged = [row for row in gather(rows) if row["work"] in args.works.split(",")]
    print(table(judged))
    print(by_rate(judged))
    print("\noracle rates:", {f"{w} {o}": f"{r:.3g}" for (w, o), r in oracle_rates(rows).items()})
    print(against(judged))
    if args.figure:
        args.figure.write_text(figure(judged))


if __name__ == "__main__":
    main()
