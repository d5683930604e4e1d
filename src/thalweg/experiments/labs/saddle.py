"""Does Adam get away from saddles better than SGD? Steps to escape against distance and noise."""

import itertools
import math
from collections.abc import Sequence

import numpy as np

from thalweg.core.lab import LabResult
from thalweg.core.landscape import LossPlane
from thalweg.core.report import Curves, Drawing, Line, Table
from thalweg.experiments.lab import Lab, LabRequest
from thalweg.experiments.saddle_claims import DISTANCES, SaddleCase, judge_claims, judge_plateau
from thalweg.experiments.saddle_problems import INPUTS, SAMPLES, UNITS, Plane, Student
from thalweg.experiments.walkers import OPTIMIZERS, walk
from thalweg.rendering.figures.walks import WalkedPath, draw_walks

__all__ = ["LAB"]

RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 1.8)
NETWORK_RATES = (0.01, 0.03, 0.1, 0.3, 1.0)
NOISE, BATCH = 0.03, 16
QUICK, FULL = (1500, 3), (4000, 10)
"""Steps and seeds."""
SETTLED = 0.1
"""A rate is usable when the run stays escaped over this last share of its steps."""


_LIMITS = tuple(
    """A strict saddle is the easy kind: some direction bends down. Where none does, other things decide.
Each optimizer walks every problem at one rate, the best of a grid for its cases away from the exact saddle.
Along the axes Adam's first step is as long as its rate, whatever the gradient: a rate that fits looks like magic.
Two dimensions and 36 weights: large networks have many ways down at once, and rarely come this near to a saddle.
Steps are counted, not seconds; a step of Adam costs a little more.""".splitlines()
)


def _run(request: LabRequest) -> LabResult:
    steps, seeds = QUICK if request.quick else FULL
    problems = [Plane(bend=bend, turned=turned) for bend, turned in itertools.product((1.0, 0.05), (False, True))]
    cases, rates = [], {}
    for plane in problems:
        request.listener.say(f"{plane.name} ...")
        found, chosen = _plane_cases(plane, steps, seeds, request.seed)
        cases += found
        rates[plane.name] = chosen
    student = Student(request.seed)
    request.listener.say(f"{student.name} ...")
    found, chosen = _network_cases(student, steps, max(1, seeds // 3), request.seed)
    cases += found
    rates[student.name] = chosen
    verdict = _verdict_of_the_plateau(student)
    return LabResult(
        name="saddle",
        question="Does Adam get away from saddle points better than SGD, and does SGD get stuck there?",
        setup=_setup(steps, seeds, rates, verdict),
        table=_table(cases),
        findings=(*judge_claims(cases), judge_plateau(verdict)),
        limits=_LIMITS,
        figures=(
            _figure(problems[1], rates[problems[1].name]),
            _network_curves(student, chosen, steps, request.seed),
            _distance_curves(cases, student.name),
        ),
    )


def _plane_cases(plane: Plane, steps: int, seeds: int, seed: int) -> tuple[list[SaddleCase], dict[str, float]]:
    grid = list(itertools.product(RATES, DISTANCES, (0.0, NOISE * plane.bend), range(seeds)))
    rates, distances, noises = (np.array([row[index] for row in grid]) for index in range(3))
    start = plane.start(distances, np.random.default_rng(seed))
    escapes: dict[str, np.ndarray] = {}
    for name in OPTIMIZERS:
        random = np.random.default_rng((seed, 5))

        def gradient(points: np.ndarray, step: int, random: np.random.Generator = random) -> np.ndarray:
            del step
            return plane.gradient(points) + noises[:, None] * random.standard_normal(points.shape)

        done = walk(name, plane.value, gradient, start, rates, steps=steps, seed=seed)
        escapes[name] = _escaped(done.losses, plane.escaped_below)
    return _gather(plane.name, grid, escapes, {0.0: "none", NOISE * plane.bend: f"{NOISE:g} of the bend"})


def _network_cases(student: Student, steps: int, seeds: int, seed: int) -> tuple[list[SaddleCase], dict[str, float]]:
    below = _half_way(student, seed)
    grids: list[tuple[float, ...]] = []
    escapes: dict[str, list[np.ndarray]] = {name: [] for name in OPTIMIZERS}
    for batch, noise in ((SAMPLES, 0.0), (BATCH, 1.0)):
        grid = [(rate, distance, noise, number) for rate, distance, number in
                itertools.product(NETWORK_RATES, DISTANCES, range(seeds if noise else 1))]  # fmt: skip
        grids += grid
        rates, distances = (np.array([row[index] for row in grid]) for index in range(2))
        start = student.start(distances, np.random.default_rng((seed, 9)))
        for name in OPTIMIZERS:
            random = np.random.default_rng((seed, 6))

            def gradient(
                points: np.ndarray, step: int, batch: int = batch, random: np.random.Generator = random
            ) -> np.ndarray:
                del step
                return student.gradient(
                    points, slice(None) if batch == SAMPLES else random.integers(SAMPLES, size=batch)
                )

            done = walk(name, student.value, gradient, start, rates, steps=steps, seed=seed)
            escapes[name].append(_escaped(done.losses, below))
    joined = {name: np.concatenate(parts) for name, parts in escapes.items()}
    return _gather(student.name, grids, joined, {0.0: "full batch", 1.0: f"batches of {BATCH}"})


def _half_way(student: Student, seed: int) -> float:
    """Half of what identical units can reach: below it they must have parted."""
    start = student.start(np.zeros(1), np.random.default_rng(seed))
    rate = np.array([0.1])
    done = walk("SGD with momentum", student.value, lambda points, _: student.gradient(points), start, rate,
                steps=1500, seed=0)  # fmt: skip
    return float(done.losses[-1, 0]) / 2


def _escaped(losses: np.ndarray, below: float) -> np.ndarray:
    """The first step below a loss, of runs that stay there at their end; infinite for the others."""
    under = losses < below
    kept = np.median(losses[-max(1, int(SETTLED * len(losses))) :], axis=0) < below
    return np.where(under.any(axis=0) & kept, under.argmax(axis=0).astype(float), math.inf)


def _gather(
    problem: str, grid: Sequence[tuple[float, ...]], escapes: dict[str, np.ndarray], noises: dict[float, str]
) -> tuple[list[SaddleCase], dict[str, float]]:
    """Choose every optimizer's best rate for the problem, and take its median steps case by case."""
    rows = np.array(grid)
    rates: dict[str, float] = {}
    for name, steps in escapes.items():
        near = rows[:, 1] > 0

        def cost(rate: float, steps: np.ndarray = steps, near: np.ndarray = near) -> float:
            taken = np.minimum(steps[(rows[:, 0] == rate) & near], 1e5)
            return float(np.log(np.maximum(taken, 1)).mean())

        rates[name] = min(sorted(set(rows[:, 0].tolist())), key=cost)
    cases = []
    for distance, (noise, words) in itertools.product(DISTANCES, noises.items()):
        here = (rows[:, 1] == distance) & (rows[:, 2] == noise)
        medians = {}
        for name, steps in escapes.items():
            taken = np.sort(steps[here & (rows[:, 0] == rates[name])])
            medians[name] = float(taken[len(taken) // 2])
        cases.append(SaddleCase(problem=problem, distance=distance, noise=words, steps=medians))
    return cases, rates


def _verdict_of_the_plateau(student: Student) -> str:
    """What the critical-point judge says of the place where identical units end."""
    import torch

    from thalweg.curvature.critical import critical_point

    start = student.start(np.zeros(1), np.random.default_rng(0))
    done = walk("SGD with momentum", student.value, lambda points, _: student.gradient(points), start,
                np.array([0.1]), steps=1500, seed=0, keep_path=True)  # fmt: skip
    weights = torch.tensor(done.path[-1, 0], requires_grad=True)
    inputs, targets = torch.tensor(student.inputs), torch.tensor(student.targets)

    def loss() -> torch.Tensor:
        first = weights[: INPUTS * UNITS].view(INPUTS, UNITS)
        return ((torch.tanh(inputs @ first) @ weights[-UNITS:] - targets) ** 2).mean() / 2

    return str(critical_point(loss, [weights]))


def _table(cases: Sequence[SaddleCase]) -> Table:
    return Table(
        caption="Median steps to escape; 'stays' where most runs did not within the budget",
        header=("problem", "distance", "noise", *OPTIMIZERS),
        rows=tuple(
            (
                case.problem,
                f"{case.distance:g}",
                case.noise,
                *("stays" if math.isinf(case.steps[name]) else f"{case.steps[name]:.0f}" for name in OPTIMIZERS),
            )
            for case in cases
        ),
    )


def _setup(steps: int, seeds: int, rates: dict[str, dict[str, float]], verdict: str) -> dict[str, str]:
    chosen = {
        f"rates, {problem}": ", ".join(f"{name} {rate:g}" for name, rate in each.items())
        for problem, each in rates.items()
    }
    return {
        "plane": "x^2/2 + b (y^4/4 - y^2/2), from (1, distance), straight and turned by 45 degrees",
        "network": f"student of four tanh units, copies of one, a teacher of four; {SAMPLES} samples; its plateau is "
        f"judged a {verdict}",
        "escaped": "half of the way down, and still there over the last tenth of the run",
        "steps": f"{steps:,}",
        "seeds": f"{seeds} with noise",
        "perturbed SGD": "SGD that is kicked by 0.01 in a random direction where its averaged gradient is below 3 % of "
        "the largest one seen, at most every 50 steps (after Jin et al. 2017)",
        **chosen,
    }


def _figure(plane: Plane, rates: dict[str, float]) -> Drawing:
    start = plane.start(np.array([1e-3]), np.random.default_rng(0))
    paths = []
    for name in OPTIMIZERS:
        done = walk(name, plane.value, lambda points, _: plane.gradient(points), start, np.array([rates[name]]),
                    steps=120, seed=0, keep_path=True)  # fmt: skip
        points = done.path[:, 0]
        paths.append(WalkedPath(label=f"{name}, rate {rates[name]:g}", points=tuple(map(tuple, points.tolist()))))
    ticks = np.linspace(-1.4, 1.4, 25)
    grid = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    losses = plane.value(grid).reshape(len(ticks), len(ticks))
    drawn = LossPlane(
        name=plane.name,
        x_name="first weight",
        y_name="second weight",
        x=tuple(ticks.tolist()),
        y=tuple(ticks.tolist()),
        losses=tuple(map(tuple, losses.tolist())),
    )
    return draw_walks(
        drawn,
        tuple(paths),
        caption="From the same start beside the way into the saddle, each at its own best rate, for 120 steps",
        saddle=(0.0, 0.0),
    )


def _network_curves(student: Student, rates: dict[str, float], steps: int, seed: int) -> Curves:
    lines = []
    for name in OPTIMIZERS:
        start = student.start(np.array([1e-6]), np.random.default_rng((seed, 9)))
        done = walk(name, student.value, lambda points, _: student.gradient(points), start, np.array([rates[name]]),
                    steps=min(steps, 1000), seed=seed)  # fmt: skip
        losses = tuple(float(loss) for loss in done.losses[:, 0])
        lines.append(Line(label=f"{name}, rate {rates[name]:g}", x=tuple(map(float, range(len(losses)))), y=losses))
    return Curves(
        caption="The network from units that differ by a millionth: the plateau is the saddle, its length the escape",
        x_label="step",
        y_label="half the mean squared error",
        lines=tuple(lines),
        log_y=True,
    )


def _distance_curves(cases: Sequence[SaddleCase], problem: str) -> Curves:
    here = [case for case in cases if case.problem == problem and case.noise == "full batch" and case.distance > 0]
    return Curves(
        caption=f"Steps to escape against distance: {problem}, full batch; gaps where a run stays",
        x_label="how near to the saddle, in powers of ten (1 is a tenth, 6 a millionth)",
        y_label="steps",
        lines=tuple(
            Line(
                label=name,
                x=tuple(-math.log10(case.distance) for case in here),
                y=tuple(case.steps[name] if math.isfinite(case.steps[name]) else math.nan for case in here),
            )
            for name in OPTIMIZERS
        ),
    )


LAB = Lab(question="Does Adam get away from saddle points better than SGD?", run=_run)
