"""What a notebook shows of each value: the same renderers as the terminal and the page, in a cell."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from thalweg.core.errors import ThalwegError
from thalweg.core.languages import Said, speaker, spoken
from thalweg.core.results import TrainResult
from thalweg.core.run_folder import RunFolder
from thalweg.core.showing import Bundle

__all__ = ["bundle"]

_HTML = "text/html"


def bundle(value: object) -> Bundle:
    """Show a value.

    Args:
        value: An answer of a verb, a network, a finding.

    Returns:
        Text by media type; nothing where the value has only its `repr`, or where what it is made of is gone.

    Example:
        >>> from thalweg.core.learning_rate import LearningRateEstimate
        >>> "too low" in bundle(LearningRateEstimate(verdict="too_low", factor=0.1, confidence=0.9))["text/html"]
        True
        >>> bundle(42)
        {}
    """
    show = next((_SHOWN[kind.__name__] for kind in type(value).__mro__ if kind.__name__ in _SHOWN), None)
    if show is None:
        return {}
    try:
        return show(value)
    except (ThalwegError, OSError):  # a run folder that was deleted; the value itself is still there
        return {}


def _train(value: TrainResult) -> Bundle:
    from thalweg.rendering.pages.notebook import cell, report_html

    if value.report is None or not Path(value.report).is_file():
        saved = f"Saved after epoch {value.epochs}. Go on with: thalweg.resume({value.run!r})"
        told = saved if value.interrupted is not None else f"Right on {value.accuracy:.1%} of the {value.split} files."
        return {_HTML: cell(f"{value.network}: {value.run}", (told,))}
    content = RunFolder(Path(value.run)).read_report()
    return {_HTML: report_html(content, opened=("Training",))}


def _report(module: str, name: str, *opened: str) -> Callable[[Any], Bundle]:
    """Show what another renderer makes a report of."""

    def show(value: object) -> Bundle:
        import importlib

        from thalweg.rendering.pages.notebook import report_html

        report = getattr(importlib.import_module(f"thalweg.rendering.pages.{module}"), name)(value)
        return {_HTML: report_html(report, opened=opened or tuple(section.title for section in report.sections[:1]))}

    return show


def _diagnosed(value: Any) -> Bundle:  # noqa: ANN401 - one of two values, told apart by what they have
    from thalweg.rendering.pages.diagnosis import diagnosis_report
    from thalweg.rendering.pages.notebook import report_html

    report = diagnosis_report(value.results if hasattr(value, "results") else (value,))
    return {_HTML: report_html(report, opened=tuple(section.title for section in report.sections[:1]))}


def _finding(value: Any) -> Bundle:  # noqa: ANN401 - a finding
    from thalweg.rendering.pages.notebook import cell, folded, listed
    from thalweg.rendering.texts.diagnosis import evidence_words, remedy_words

    title = f"{value.severity} {value.code} {value.name} ({value.confidence:.0%} sure)"
    lists = [
        ("What was seen", [evidence_words(each) for each in value.evidence]),
        ("What to do", [remedy_words(each) for each in value.remedies]),
        ("What else it could be", [speaker(spoken(), isolated=True).name(name) for name in value.alternatives]),
    ]
    parts = [folded(name, listed(lines), opened=True) for name, lines in lists if lines]
    return {_HTML: cell(title, (value.claim,), parts)}


def _rate(value: Any) -> Bundle:  # noqa: ANN401 - a verdict
    from thalweg.rendering.pages.notebook import cell

    return {_HTML: cell(f"learning rate: {value}", (value.reason,) if value.reason else ())}


def _network(value: Any) -> Bundle:  # noqa: ANN401 - a network's description
    from thalweg.accounting.ledger import count
    from thalweg.rendering.diagrams.diagram import draw_svg
    from thalweg.rendering.pages.notebook import cell, folded
    from thalweg.rendering.said_drawing import said_drawing
    from thalweg.rendering.texts.ledger import ledger_html

    ledger = count(value)
    drawn = said_drawing(draw_svg(value, ledger), speaker(spoken(), isolated=True))
    figure = f"<figure>{drawn}</figure>"
    table = folded("Layer by layer", f'<div class="tw-wide">{ledger_html(ledger)}</div>')
    told = f"{len(value.layers):,} layers, {ledger.parameters:,} parameters"
    return {_HTML: cell(value.name, (told,), (figure, table))}


def _count(value: Any) -> Bundle:  # noqa: ANN401 - a count
    from thalweg.rendering.pages.notebook import cell, folded
    from thalweg.rendering.texts.count import solved_sentence
    from thalweg.rendering.texts.ledger import ledger_html

    total = value.total
    macs = "not every layer counted" if total.macs is None else f"{total.macs:,} multiply-accumulates a sample"
    told = [f"{total.parameters:,} parameters ({total.trainable_parameters:,} trainable), {macs}"]
    told += [solved_sentence(value.solved)] if value.solved else []
    table = f'<div class="tw-wide">{ledger_html(value.ledger)}</div>'
    return {_HTML: cell(value.network, told, (folded("Layer by layer", table, opened=len(value.layers) <= 30),))}  # noqa: PLR2004 - a screen


def _ledger(value: Any) -> Bundle:  # noqa: ANN401 - a ledger
    from thalweg.rendering.pages.notebook import cell
    from thalweg.rendering.texts.ledger import ledger_html

    return {_HTML: cell("", (), (f'<div class="tw-wide">{ledger_html(value)}</div>',))}


def _paper(value: Any) -> Bundle:  # noqa: ANN401 - a derivation
    from thalweg.workbench.deriving.forms import write_paper

    return {"text/markdown": write_paper(value, "markdown")}


def _rule(value: Any) -> Bundle:  # noqa: ANN401 - a rule's text
    from thalweg.rendering.pages.notebook import cell
    from thalweg.rendering.texts.rules import rule_text

    first, *rest = rule_text(value, 10_000).splitlines()
    return {_HTML: cell(Said(first), [Said(line) for line in rest if line])}  # said by whoever wrote it


def _explained(value: Any) -> Bundle:  # noqa: ANN401 - an explanation
    from thalweg.rendering.pages.explanation import explain_text
    from thalweg.rendering.pages.notebook import cell

    first, *rest = explain_text(value).splitlines()
    voice, many = speaker(spoken(), isolated=True), len(value.samples)
    rest = [voice.say(line.strip(), "sample" if place < many else "") for place, line in enumerate(rest)]
    page = [f"The maps are on the page {value.page}."] if value.page else ["explain(..., html=PAGE) draws the maps."]
    return {_HTML: cell(f"Where {value.network} looks: {first}", (*rest, *page))}


_SHOWN: dict[str, Callable[[Any], Bundle]] = {
    "TrainResult": _train,
    "DiagnoseResult": _diagnosed,
    "DiagnosedRun": _diagnosed,
    "Finding": _finding,
    "LearningRateEstimate": _rate,
    "RuleText": _rule,
    "NetworkSpec": _network,
    "CountResult": _count,
    "Ledger": _ledger,
    "Derivation": _paper,
    "Dependence": _paper,
    "LabResult": _report("lab", "lab_report"),
    "ExplainResult": _explained,
    "Comparison": _report("comparison", "comparison_report"),
    "LandscapeResult": _report("landscape", "landscape_report"),
}
"""By the name of the type, so that nothing is loaded before its value is shown."""
