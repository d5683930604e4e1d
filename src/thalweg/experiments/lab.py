"""What every experiment is made of, and how it is found: a file in `labs/` that defines `LAB` is all it takes."""

import ast
import importlib
import os
import pkgutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.core.errors import PlanError, ShapeError, SourceError
from thalweg.core.files import page_to_write, printable, write_atomically
from thalweg.core.lab import LabResult
from thalweg.core.process import usable_cores
from thalweg.experiments.many import spread_over_ray
from thalweg.workbench.telling.telling import Listener, whoever_is_here

__all__ = ["Lab", "LabRequest", "lab", "labs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRequest:
    """What the user asked for.

    Args:
        source: Data in any form that `train` takes; None for the experiment's own.
        quick: Whether it must be done within two minutes on two cores.
        workers: Processes that may work at the same time.
        seed: Of everything random.
        listener: Whoever shows progress.
        minutes: What there is for its trainings; None for the most that is begun unasked.
        control: Whether the control, which has to be trained, is wanted, too.
    """

    source: str | None
    quick: bool
    workers: int
    seed: int
    listener: Listener
    minutes: float | None = None
    control: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """An experiment.

    Args:
        question: What it asks.
        run: Does it; name, seconds and page of the answer are filled in afterwards.
        takes_source: Whether data of the user's can be used.
        takes_control: Whether there is a control that is trained on demand.
    """

    question: str
    run: Callable[[LabRequest], LabResult]
    takes_source: bool = False
    takes_control: bool = False


def labs() -> Mapping[str, str]:
    """Find the experiments there are, without loading them.

    Returns:
        The first sentence of each, by name.

    Example:
        >>> "saddle" in labs()
        True
    """
    home = importlib.import_module("thalweg.experiments.labs")
    found = {}
    for path in sorted(Path(folder, f"{item.name}.py") for folder in home.__path__ for item in pkgutil.iter_modules([folder])):  # fmt: skip  # noqa: E501
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Assign | ast.AnnAssign) and "LAB" in _targets(node) for node in tree.body):
            found[path.stem.replace("_", "-")] = (ast.get_docstring(tree) or "").partition("\n")[0]
    return found


def _targets(node: ast.Assign | ast.AnnAssign) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    return {target.id for target in targets if isinstance(target, ast.Name)}


def lab(
    name: str,
    source: str | os.PathLike[str] | None = None,
    *,
    quick: bool = False,
    workers: int | None = None,
    seed: int = 0,
    minutes: float | None = None,
    ray: bool = False,
    html: str | os.PathLike[str] | None = None,
    control: bool = False,
    listener: Listener | None = None,
) -> LabResult:
    """Run an experiment.

    Args:
        name: Such as `saddle`.
        source: Data to run it on, where the experiment takes any.
        quick: Be done within two minutes on two cores: fewer cases and seeds.
        workers: Processes that may work at the same time; as many as there are cores by default.
        seed: Of everything random.
        minutes: What there is for its trainings: what is foreseen to take longer is not begun.
        ray: Spread over the Ray cluster at `RAY_ADDRESS`, or a new one of this machine's cores, instead (extra `ray`).
        html: A page to write; nothing is written by default.
        control: Train the control as well, where an experiment has one (`context` on a run).
        listener: Whoever shows progress.

    Returns:
        Question, set-up, table, findings, limits and figures.

    Raises:
        ShapeError: An experiment's own samples do not fit its networks; never seen.
        SourceError: The source cannot be used: too few samples, one class, samples too small.
        PlanError: There is no such experiment, an option does not fit it, or the time does not suffice.

    Example:
        >>> lab("no such thing")
        Traceback (most recent call last):
        thalweg.core.errors.PlanError: there is no lab 'no such thing': choose one of ...
    """
    started = time.perf_counter()
    known = labs()
    if name not in known:
        raise PlanError(f"there is no lab {printable(name)!r}: choose one of {', '.join(known)}")
    module = importlib.import_module(f"thalweg.experiments.labs.{name.replace('-', '_')}")
    experiment: Lab = module.LAB
    if source is not None and not experiment.takes_source:
        raise PlanError(
            f"lab {name} measures on problems of its own and takes no source: leave {printable(source)} out"
        )
    if control and not experiment.takes_control:
        raise PlanError(f"lab {name} has no control that is trained apart: leave --control out")
    if workers is not None and not 1 <= workers <= 1024:  # noqa: PLR2004 - beyond is a slip of the finger
        raise PlanError(f"--workers {workers}: 1 to 1024 are possible")
    if minutes is not None and not 0 < minutes <= 100_000:  # noqa: PLR2004 - 69 days
        raise PlanError(f"--minutes {minutes:g}: a number above 0 is wanted")
    page = page_to_write(html)
    request = LabRequest(
        source=None if source is None else os.fspath(source),
        quick=quick,
        workers=workers or usable_cores(),
        seed=seed,
        listener=listener or whoever_is_here(),
        minutes=minutes,
        control=control,
    )
    try:
        with spread_over_ray(ray):
            done = experiment.run(request)
    except ShapeError as error:
        if source is None:
            raise
        raise SourceError(f"{printable(source)}: its samples are too small for lab {name}: {error}") from None
    result = replace(done, name=name, seconds=time.perf_counter() - started)
    if page is None:
        return result
    from thalweg.rendering.pages.html import render_html
    from thalweg.rendering.pages.lab import lab_report

    write_atomically(page, render_html(lab_report(result), data=True))
    return replace(result, page=str(page), seconds=time.perf_counter() - started)
