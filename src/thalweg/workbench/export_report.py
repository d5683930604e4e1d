"""What `thalweg export` makes of a run's report: a model card, its tables as CSV, its figures as SVG and PNG."""

from pathlib import Path

from thalweg.core.codec import from_plain
from thalweg.core.dataset import DataSummary
from thalweg.core.evaluation import Evaluation
from thalweg.core.files import write_atomically
from thalweg.core.languages import speaker, spoken
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Curves, Drawing, Paragraph, Report
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.exporting.model_card import model_card
from thalweg.exporting.plots import curves_png
from thalweg.exporting.tables import file_name, report_tables
from thalweg.rendering.drawings import check_drawing
from thalweg.rendering.figures import draw_curves
from thalweg.rendering.said_drawing import said_drawing
from thalweg.rendering.translated import translated_block
from thalweg.workbench.report_parts import provenance, reproduction_blocks

__all__ = ["NOT_OF_THE_ANSWER", "write_card", "write_figures", "write_tables"]

NOT_OF_THE_ANSWER = ("evaluation", "segmentation", "safety")
"""What `metrics.json` holds besides the answer of `train`."""


def write_card(folder: RunFolder, path: Path) -> tuple[str, ...]:
    """Write the model card of a finished run.

    Args:
        folder: The run.
        path: The file.

    Returns:
        The file written.

    Raises:
        RunError: The run is not finished.
    """
    metrics = folder.read_json("metrics.json")
    kept = {name: metrics.pop(name, None) for name in NOT_OF_THE_ANSWER}
    evaluation = kept["evaluation"]
    plan = TrainingPlan.from_toml(folder.read_text("plan.toml"), "plan.toml")
    command, repeats = [block.text for block in reproduction_blocks(folder, plan) if isinstance(block, Paragraph)][:2]
    card = model_card(
        from_plain(TrainResult, metrics, "metrics.json"),
        summary=from_plain(DataSummary, folder.read_json("data.json"), "data.json"),
        evaluation=None if evaluation is None else from_plain(Evaluation, evaluation, "metrics.json"),
        provenance=provenance(folder, plan),
        command=command,
        repeats=repeats,
    )
    write_atomically(path, card)
    return (str(path),)


def write_tables(report: Report, place: Path) -> tuple[str, ...]:
    """Write every table of a report as CSV.

    Args:
        report: The report.
        place: The folder for them; made where it is missing.

    Returns:
        The files written.
    """
    place.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in report_tables(report):
        write_atomically(place / name, text)
        written.append(str(place / name))
    return tuple(written)


def write_figures(report: Report, place: Path, *, png: bool = False) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write every figure of a report as SVG in the language of the moment, curves as PNG too where asked.

    PNG stays English: matplotlib joins no Arabic letters.

    Args:
        report: The report.
        place: The folder for them; made where it is missing.
        png: Whether to write PNG as well.

    Returns:
        The files written, and what could not be.

    Raises:
        MissingExtraError: PNG is asked for without matplotlib.
    """
    place.mkdir(parents=True, exist_ok=True)
    written, number, drawings = [], 0, 0
    voice = speaker(spoken(), isolated=True)
    for section in report.sections:
        for block in section.blocks:
            if not isinstance(block, Curves | Drawing):
                continue
            number += 1
            files: dict[str, bytes | str] = {}
            if isinstance(block, Curves):
                files["svg"] = draw_curves(translated_block(block, spoken()), voice=voice)
                if png:
                    files["png"] = curves_png(block)
            else:
                files["svg"] = check_drawing(said_drawing(block.svg, voice))
                drawings += png
            for ending, content in files.items():
                path = place / file_name(number, section.title, block.caption, ending)
                write_atomically(path, content)
                written.append(str(path))
    notes = (f"{drawings} drawing(s) are written as SVG only: matplotlib draws curves",) if drawings else ()
    return tuple(written), notes
