"""A whole count for people: the ledger's table, then where weights and work lie, what memory it takes, and the answer.

The sums by kind leave out kinds that have neither weights nor multiplications: they are named in one line.
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from thalweg.core.languages import Speaker, speaker, spoken
from thalweg.core.layer_cost import LayerCost
from thalweg.core.network_results import CountResult, SolvedSize
from thalweg.rendering.columns import columns, fenced, to_left, to_right
from thalweg.rendering.markup import escape, escape_markdown, short_number, shown
from thalweg.rendering.texts.ledger import write_ledger

__all__ = ["solved_sentence", "write_count"]

_BY_KIND = ("kind", "layers", "parameters", "share", "MACs", "share")
_LARGEST = ("largest layers", "parameters", "share", "MACs", "share")
_MEMORY = ("training with", "its state")
_NAMES = {"sgd": "SGD", "momentum": "SGD with momentum", "adam": "Adam", "adamw": "AdamW"}
_SHOWN = 5  # of the largest layers
_WORTH = 0.01  # what share makes a layer one of the largest
_WIDTH = 80
_STYLE = (
    "<style>:root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;"
    "padding:0 1rem}table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}"
    "caption{display:none}"
    "th,td{padding:.2rem .7rem;text-align:right;border-bottom:1px solid #8884}th:first-child,tfoot td{text-align:left}"
    "th:nth-child(2):nth-last-child(7),td:nth-child(2):nth-last-child(7){text-align:left}"  # kinds, among eight columns
    "[dir=rtl] :is(th,td){text-align:left}[dir=rtl] :is(th:first-child,tfoot td,th:nth-child(2):nth-last-child(7),"
    "td:nth-child(2):nth-last-child(7)){text-align:right}"
    "tbody th{font-weight:400}@media screen and (max-width:62rem){table{display:block;overflow-x:auto}}</style>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    after: str = ""


def write_count(result: CountResult, form: str = "text") -> str:
    """Write a count in a form chosen by name.

    Args:
        result: The count.
        form: `text`, `markdown`, `csv` or `html`; CSV has the layers only.

    Returns:
        Text of at most 80 columns, Markdown, CSV, or a page of HTML that needs nothing else.

    Raises:
        PlanError: There is no such form.

    Example:
        >>> from thalweg.core.layer_cost import Ledger
        >>> from thalweg.core.network_results import CountTotal
        >>> total = CountTotal(
        ...     parameters=0, trainable_parameters=0, buffers=0, macs=0, activation_bytes_inference=0,
        ...     activation_bytes_training=0, receptive_field=(),
        ... )
        >>> empty = CountResult(ledger=Ledger(network="empty", input_shapes={}, rows=()), total=total)
        >>> write_count(empty, "markdown").splitlines()[-1]
        'Activations of one sample in float32: 0 B at once for inference, 0 B kept for training.'
    """
    table = write_ledger(result.ledger, form)  # refuses an unknown form
    if form == "csv":
        return table
    voice = speaker(spoken(), isolated=form == "html")
    answer = [solved_sentence(result.solved)] if result.solved else []
    parts = [_said(part, voice) for part in (*_sections(result), *answer)]
    title = voice.say(_title(result))
    if form == "text":
        note = textwrap.fill(voice.say(shown(result.note)), _WIDTH) + "\n" if result.note else ""
        return "\n".join([note + table, *(_text(part) for part in parts)])
    if form == "html":
        head = f"<title>{escape(result.network)}</title>\n{_STYLE}"
        body = "\n".join([f"<h1>{escape(title)}</h1>", table, *(_html(part) for part in parts)])
        way = f'<html lang="{voice.language}" dir="{voice.direction}">'
        phone = '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
        start = f'<!DOCTYPE html>\n{way}\n<head>\n<meta charset="utf-8"/>\n{phone}\n{head}\n</head>'
        return f"{start}\n<body>\n{body}\n</body>\n</html>\n"
    lines = [f"# {escape_markdown(title)}\n", table, *(_markdown(part) for part in parts)]
    return "\n".join(lines).rstrip("\n") + "\n"


def solved_sentence(solved: SolvedSize) -> str:
    """Answer a question about sizes in a sentence.

    Args:
        solved: The answer.

    Returns:
        The sentence.

    Example:
        >>> found = SolvedSize(question="flatten=59*64", layer="flatten1", wanted=3776, ranges=((502, 509),), axes=1)
        >>> solved_sentence(found)
        'flatten=59*64: flatten1 gives 3,776 values at input sizes 502 to 509.'
    """
    question, layer = shown(solved.question), shown(solved.layer)
    if solved.per_axis:
        each = [" or ".join(_runs(ranges)) for ranges in solved.per_axis]
        sizes = " x ".join(f"({size})" if " " in size else size for size in each)
        return f"{question}: {layer} gives {solved.wanted:,} values at an input of {sizes}."
    if not solved.ranges:
        near = f"; it can give {' or '.join(f'{value:,}' for value in solved.nearest)}" if solved.nearest else ""
        return f"{question}: at no input size does {layer} give {solved.wanted:,} values{near}."
    runs = _runs(solved.ranges)
    plural = "s" if len(runs) > 1 or solved.ranges[0][0] != solved.ranges[0][1] else ""
    axes = f" (each of the {solved.axes} axes)" if solved.axes > 1 else ""
    more = " and more" if solved.beyond else ""
    return f"{question}: {layer} gives {solved.wanted:,} values at input size{plural} {', '.join(runs)}{more}{axes}."


def _runs(ranges: Sequence[tuple[int, int]]) -> list[str]:
    return [str(low) if low == high else f"{low} to {high}" for low, high in ranges]


def _title(result: CountResult) -> str:
    inputs = [f"{name} {shape}" for name, shape in result.ledger.input_shapes.items()]
    several = len(inputs) > 1
    shapes = ", ".join(inputs if several else map(str, result.ledger.input_shapes.values()))
    return shown(f"{result.network}, input{'s' if several else ''} {shapes}" if inputs else result.network)


def _sections(result: CountResult) -> list[_Table | str]:
    found: list[_Table | str] = []
    rows = result.layers
    if any(row.parameters or row.macs for row in rows):
        found += [_by_kind(rows), _largest(rows)]
    total = result.total
    found.append(
        f"Activations of one sample in float32: {_bytes(total.activation_bytes_inference)} at once for inference, "
        f"{_bytes(total.activation_bytes_training)} kept for training."
    )
    if result.memory:
        header = (*_MEMORY, f"a step of {result.memory[0].batch_size:,} needs")
        lines = tuple(
            (_NAMES.get(step.optimizer, step.optimizer), _bytes(step.state_bytes), _bytes(step.peak_bytes))
            for step in result.memory
        )
        found.append(_Table(header=header, rows=lines))
    return found


def _by_kind(rows: Sequence[LayerCost]) -> _Table:
    kinds = list(dict.fromkeys(row.kind for row in rows))
    groups = {kind: [row for row in rows if row.kind == kind] for kind in kinds}
    parameters, macs = sum(row.parameters for row in rows), sum(row.macs or 0 for row in rows)
    heavy = [kind for kind, group in groups.items() if any(row.parameters or row.macs != 0 for row in group)]
    heavy.sort(key=lambda kind: -sum(row.parameters for row in groups[kind]))
    light = [f"{shown(kind)} ({len(groups[kind])})" for kind in kinds if kind not in heavy]
    lines = []
    for kind in heavy:
        own, work = sum(row.parameters for row in groups[kind]), sum(row.macs or 0 for row in groups[kind])
        uncounted = any(row.macs is None for row in groups[kind])
        cells = ("uncounted", "") if uncounted else _amount(work, macs)
        lines.append((shown(kind), f"{len(groups[kind]):,}", *_amount(own, parameters), *cells))
    unknown = any(row.macs is None for row in rows)  # a sum without an uncounted layer would pass for the whole
    total = ("uncounted", "") if unknown else _amount(macs, macs)
    lines.append(("all", f"{len(rows):,}", *_amount(parameters, parameters), *total))
    after = f"Without weights and multiplications: {', '.join(light)}." if light else ""
    return _Table(header=_BY_KIND, rows=tuple(lines), after=after)


def _largest(rows: Sequence[LayerCost]) -> _Table:
    """The layers that matter: those with most weights, and those with most work, by the larger of their shares."""
    parameters, macs = sum(row.parameters for row in rows) or 1, sum(row.macs or 0 for row in rows) or 1

    def weight(row: LayerCost) -> float:
        return max(row.parameters / parameters, (row.macs or 0) / macs)

    ranked = sorted(rows, key=weight, reverse=True)
    lines = tuple(
        (shown(row.name), *_amount(row.parameters, parameters), *_amount(row.macs or 0, macs))
        for row in ranked[:_SHOWN]
        if weight(row) >= _WORTH
    )
    return _Table(header=_LARGEST, rows=lines)


def _amount(value: int, total: int) -> tuple[str, str]:
    return (f"{value:,}", f"{value / total:.1%}") if value else ("", "")


def _said(part: _Table | str, voice: Speaker) -> _Table | str:
    if isinstance(part, str):
        return voice.say(part)
    rows = tuple(
        (
            voice.say(row[0], "count" if row[0] == "all" else "what"),
            *(voice.number(voice.say(cell, "cell")) for cell in row[1:]),
        )
        for row in part.rows
    )
    header = tuple(voice.say(name, "count") for name in part.header)
    return _Table(header=header, rows=rows, after=voice.say(part.after))


def _bytes(value: int) -> str:
    short = short_number(value)
    return f"{short[:-1]} {short[-1].replace('k', 'K')}B" if short[-1:].isalpha() else f"{short} B"


def _text(part: _Table | str) -> str:
    if isinstance(part, str):
        return textwrap.fill(part, _WIDTH) + "\n"
    rows = part.rows
    widths = [max(map(columns, column)) for column in zip(part.header, *rows, strict=True)]
    over = sum(widths) + 2 * (len(widths) - 1) - _WIDTH
    if over > 0:  # only names can be that long
        widths[0] = max(8, widths[0] - over)
        rows = tuple((_end(row[0], widths[0]), *row[1:]) for row in rows)
    lines = [
        "  ".join([
            fenced(to_left(row[0], widths[0])),
            *(fenced(to_right(cell, size)) for cell, size in zip(row[1:], widths[1:], strict=True)),
        ])
        for row in (part.header, *rows)
    ]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    after = textwrap.wrap(part.after, _WIDTH)
    return "\n".join([lines[0], rule, *(line.rstrip() for line in lines[1:]), *after, ""])


def _end(text: str, room: int) -> str:
    return text if len(text) <= room else f"…{text[len(text) - room + 1 :]}"


def _markdown(part: _Table | str) -> str:
    if isinstance(part, str):
        return f"{escape_markdown(part)}\n"
    head = [_row(part.header), "|---|" + "---:|" * (len(part.header) - 1)]
    after = ["", escape_markdown(part.after)] if part.after else []
    return "\n".join([*head, *(_row(row) for row in part.rows), *after, ""])


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(map(escape_markdown, cells)) + " |"


def _html(part: _Table | str) -> str:
    if isinstance(part, str):
        return f"<p>{escape(part)}</p>"
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in part.header)
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f'<td dir="ltr">{escape(cell)}</td>' for cell in row[1:])
        + "</tr>"
        for row in part.rows
    )
    after = f"<p>{escape(part.after)}</p>" if part.after else ""
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>\n</table>{after}"
