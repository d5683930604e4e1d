"""The parts of a run's report that need no pictures: tables, curves, diagrams, and how to repeat the run."""

from thalweg.accounting.ledger import count
from thalweg.core.dataset import AXES
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import printable
from thalweg.core.history import RunHistory, epochs_from_csv
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Block, Curves, Drawing, Line, Listing, Mark, Paragraph, Table
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.evaluation.intervals import wilson
from thalweg.networks.listing import list_network, ways
from thalweg.rendering.diagrams.diagram import draw_svg
from thalweg.rendering.numerals import decimal

__all__ = [
    "evaluation_blocks",
    "network_blocks",
    "provenance",
    "reproduction_blocks",
    "training_blocks",
    "use_blocks",
]

_FORM_OF = {axes: form for form, axes in AXES.items()}


def network_blocks(folder: RunFolder) -> tuple[Block, ...]:
    """The network's diagrams and ledger.

    Args:
        folder: The run.

    Returns:
        Blocks of the report.
    """
    spec = folder.read_network()
    ledger = count(spec)
    shape = next(iter(spec.inputs.values()))
    blocks: list[Block] = [
        Paragraph(
            text=f"{ledger.parameters:,} parameters, {ledger.buffers:,} buffers, "
            f"{ledger.macs or 0:,} multiply-accumulates a {_FORM_OF[shape.axes]} of {shape}. "
            f"Counted: {ledger.convention}."
        )
    ]
    written = ways(spec)
    text = " -> ".join(f"{row.kind} {row.output_shape}" for row in ledger.rows)
    caption = (
        "The network: the same boxes and arrows whether it is written sequentially or functionally"
        if len(written) > 1
        else "The network: it branches, so it is written functionally; a list of layers cannot say which reads what"
    )
    blocks.append(Drawing(caption=caption, svg=draw_svg(spec, ledger), alternative=text))
    blocks.extend(
        Listing(caption=f"The network as Python in its {form} form", text=list_network(spec, form)) for form in written
    )
    rows = tuple(
        (row.name, row.kind, str(row.output_shape), f"{row.parameters:,}", row.formula, _macs(row.macs))
        for row in ledger.rows
    )
    header = ("layer", "kind", "output", "parameters", "arithmetic", "MACs")
    blocks.append(Table(caption="Every layer", header=header, rows=rows, folded=True))
    return tuple(blocks)


def training_blocks(folder: RunFolder, result: TrainResult) -> tuple[Block, ...]:
    """Curves and events.

    Args:
        folder: The run.
        result: Its scores.

    Returns:
        Blocks of the report.
    """
    history = RunHistory.from_epochs(epochs_from_csv(folder.read_text("history.csv"), "history.csv"))
    best: tuple[Mark, ...] = (
        Mark(x=result.best_epoch, label=f"best epoch {result.best_epoch}: {result.best_accuracy:.1%}"),
    )
    events = folder.read_json("events.json").get("events", [])
    best = (*best, *_repairs(events))
    blocks: list[Block] = [
        Curves(
            caption="Loss a sample, training (augmented, with dropout) and validation",
            x_label="epoch",
            y_label="cross-entropy, nats",
            lines=_lines(history, ("training", "train_loss"), ("validation", "val_loss")),
            marks=best,
        ),
        Curves(
            caption="Accuracy, training (augmented, with dropout) and validation",
            x_label="epoch",
            y_label="share of right answers",
            lines=_lines(history, ("training", "train_accuracy"), ("validation", "val_accuracy")),
            marks=best,
        ),
        Curves(
            caption="Learning rate at the end of each epoch",
            x_label="epoch",
            y_label="learning rate",
            lines=_lines(history, ("learning rate", "learning_rate")),
        ),
    ]
    rows = tuple(
        (str(event["epoch"]), str(event["step"]), event["kind"].replace("_", " "), event["message"])
        for event in events  # type: ignore[attr-defined]
    )
    if rows:
        blocks.append(Table(caption="What happened", header=("epoch", "step", "what", "why"), rows=rows))
    return tuple(blocks)


_MOST_MARKS = 6


def _repairs(events: object) -> tuple[Mark, ...]:
    """Marks of the first repairs, at the epoch they happened in; all of them stand in the table of events."""
    made = [event for event in events if "steps_rolled_back" in event] if isinstance(events, list) else []
    return tuple(
        Mark(
            x=float(event["epoch"]),
            label=f"step {event['step']}: {event['kind'].replace('_', ' ')}",
            reason=printable(event["message"]),
        )
        for event in made[:_MOST_MARKS]
    )


def _lines(history: RunHistory, *curves: tuple[str, str]) -> tuple[Line, ...]:
    lines = []
    for label, name in curves:
        signal = history.signal(name)
        if signal is not None:
            steps = tuple(map(float, signal.steps))
            lines.append(Line(label=label, x=steps, y=signal.values, dashed=label == "training"))
    return tuple(lines)


def evaluation_blocks(evaluation: Evaluation) -> tuple[Block, ...]:
    """Scores a class and calibration.

    Args:
        evaluation: The scores.

    Returns:
        Blocks of the report.
    """
    rows = []
    for index, score in enumerate(evaluation.classes):
        right, files = evaluation.confusion[index][index], sum(evaluation.confusion[index])
        answers = sum(row[index] for row in evaluation.confusion)
        shares = (*_share(score.precision, right, answers), *_share(score.recall, right, files))
        rows.append((printable(score.name), f"{score.files:,}", *shares, decimal(score.f1), decimal(score.auc)))
    filled = [bin_ for bin_ in evaluation.calibration if bin_.files]
    points = Line(
        label="network",
        x=tuple(bin_.confidence for bin_ in filled),
        y=tuple(bin_.accuracy for bin_ in filled),
    )
    return (
        Table(
            caption=f"Scores a class on the {evaluation.split} split, with 95 % intervals from the number of files",
            header=("class", "files", "precision", "its interval", "recall", "its interval", "F1", "ROC AUC"),
            rows=tuple(rows),
        ),
        Paragraph(
            text=f"Cross-entropy {evaluation.loss:.3f} nats; "
            f"expected calibration error {evaluation.calibration_error:.1%}."
        ),
        Curves(
            caption="Reliability: how often it is right when it is so sure",
            x_label="confidence",
            y_label="share of right answers",
            lines=(points,),
            y_range=(0.0, 1.0),
            diagonal=True,
        ),
    )


def reproduction_blocks(folder: RunFolder, plan: TrainingPlan) -> tuple[Block, ...]:
    """How to repeat the run.

    Args:
        folder: The run.
        plan: Its plan.

    Returns:
        Blocks of the report.
    """
    environment = folder.read_json("environment.json")
    length = f"--minutes {plan.minutes:g}" if plan.minutes is not None else f"--epochs {plan.epochs}"
    network = _quoted(str(folder.path / "network.json")) if plan.own_axes else plan.network
    command = (
        f"thalweg train {_quoted(plan.source)} --network {network} {length} --lr {plan.learning_rate:.6g} "
        f"--optimizer {plan.optimizer} --batch-size {plan.batch_size} --image-size {plan.size_option} "
        f"--seed {plan.seed}"
    ) + _chosen_options(plan)
    exact = "to the bit on the same machine" if plan.epochs else "closely: minutes depend on the machine's speed"
    fields = [line.split(" = ", 1) for line in plan.to_toml().splitlines() if " = " in line]
    rows = tuple((name, value) for name, value in fields)
    return (
        Paragraph(text=command, style="command"),
        Paragraph(text=f"With the same versions this repeats the run {exact}."),
        Paragraph(text=f"It was started as: {environment.get('command', '')}"),
        Table(caption="The plan (plan.toml)", header=("field", "value"), rows=rows, folded=True),
    )


def use_blocks(folder: RunFolder) -> tuple[Block, ...]:
    """How to ask the network about new files, and to hand it on.

    Args:
        folder: The run.

    Returns:
        Blocks of the report.
    """
    run = _quoted(str(folder.path))
    return (
        Paragraph(text="The network answers for new files, and other programs can use it:"),
        Paragraph(text=f"thalweg predict {run} NEW", style="command"),
        Paragraph(text=f"thalweg export {run} --onnx --model-card", style="command"),
        Paragraph(
            text="To hand it on, copy the run folder as a whole. This page is one file and can be sent alone; "
            "samples of the data are in it."
        ),
    )


def provenance(folder: RunFolder, plan: TrainingPlan) -> dict[str, str]:
    """Versions, processor, precision and seed of a run.

    Args:
        folder: The run.
        plan: Its plan.

    Returns:
        By name.
    """
    environment = folder.read_json("environment.json")
    hardware = environment.get("hardware")
    processor = hardware.get("processor", "") if isinstance(hardware, dict) else ""
    return {
        "thalweg": str(environment.get("thalweg", "")),
        "Python": str(environment.get("python", "")),
        "torch": str(dict(environment.get("packages", {})).get("torch", "")),  # type: ignore[call-overload]
        "Processor": f"{processor}, {dict(hardware or {}).get('threads')} threads",  # type: ignore[call-overload]
        "Precision": str(environment.get("precision", "")),
        "Seed": str(plan.seed),
    }


def _chosen_options(plan: TrainingPlan) -> str:
    """The options that the user chose besides those that every run has."""
    usual = TrainingPlan(source=plan.source)
    names = ("form", "window", "test", "validation", "split_file", "group_by", "augment", "class_weights", "patience")
    chosen = [(name, getattr(plan, name)) for name in names if getattr(plan, name) != getattr(usual, name)]
    chosen += [(name, getattr(plan, name)) for name in ("weight_decay", "label_smoothing")]
    for name in ("overlap_loss", "wise_ft"):
        chosen += [(name, getattr(plan, name))] * (getattr(plan, name) is not None)
    return "".join(f" --{name.replace('_', '-')} {_quoted(str(value))}" for name, value in chosen)


def _quoted(text: str) -> str:
    import shlex

    return shlex.quote(printable(text))


def _share(value: float, right: int, of: int) -> tuple[str, str]:
    """A share and its 95 % interval."""
    if not of:
        return "-", "-"
    low, high = wilson(right, of)
    return decimal(value), f"{low:.3f} to {high:.3f}"


def _macs(value: int | None) -> str:
    return "not counted" if value is None else f"{value:,}"
