"""The count of a network as a table: text of 80 columns, Markdown, CSV or HTML, with totals and the convention."""

import csv
import io
import textwrap
from collections.abc import Callable, Mapping
from types import MappingProxyType

from thalweg.core.errors import PlanError
from thalweg.core.languages import Speaker, speaker, spoken
from thalweg.core.layer_cost import LayerCost, Ledger
from thalweg.rendering.columns import columns, fenced, to_left, to_right
from thalweg.rendering.markup import escape, escape_markdown, short_number, shown

__all__ = ["FORMS", "ledger_csv", "ledger_html", "ledger_markdown", "ledger_text", "write_ledger"]

_HEADER = ("layer", "kind", "output", "parameters", "formula", "MACs", "field", "stride")
_NARROW = ("layer", "kind", "output", "parameters", "MACs", "field", "stride")


def _field(values: tuple[float, ...]) -> str:
    """One number where all axes agree, else one an axis."""
    return "" if not values else "x".join(f"{value:g}" for value in (values if len(set(values)) > 1 else values[:1]))


def _macs(row: LayerCost) -> str:
    return "uncounted" if row.macs is None else f"{row.macs:,}" if row.macs else ""


def _cells(row: LayerCost) -> tuple[str, ...]:
    parameters = f"{row.parameters:,}" if row.trainable else f"{row.parameters:,} frozen"
    return (
        shown(row.name), shown(row.kind), str(row.output_shape), parameters if row.parameters else "",
        shown(row.formula), _macs(row), _field(row.receptive_field), _field(row.stride),
    )  # fmt: skip


def _heading(names: tuple[str, ...], voice: Speaker) -> tuple[str, ...]:
    return tuple(voice.say(name, "count") for name in names)


def _said(row: tuple[str, ...], voice: Speaker) -> tuple[str, ...]:
    """Numbers and the few words of a row in a language; names, kinds and shapes are nobody's words."""
    return (*row[:3], *(voice.number(voice.say(cell, "cell")) for cell in row[3:]))


def _totals(ledger: Ledger, voice: Speaker) -> tuple[tuple[str, str], ...]:
    trained = sum(row.parameters for row in ledger.rows if row.trainable)
    activations = sum(row.activation_bytes for row in ledger.rows)
    uncounted = [row.name for row in ledger.rows if row.macs is None]
    macs = f"unknown: nothing counts {', '.join(map(shown, uncounted))}" if uncounted else f"{ledger.macs or 0:,}"
    totals = (
        ("parameters", f"{ledger.parameters:,} ({trained:,} trained)"),
        ("buffers", f"{ledger.buffers:,}"),
        ("MACs", macs),
        ("activations", f"{activations:,} bytes, all layers, one sample in float32"),
    )
    return tuple((voice.say(name, "count"), voice.number(voice.say(value))) for name, value in totals)


def ledger_text(ledger: Ledger, width: int = 80) -> str:
    """Write a ledger for the terminal, with the arithmetic beside each layer, or under the table where it is too wide.

    Columns that still do not fit are shortened: names in the middle, multiplications to three digits.

    Args:
        ledger: The counts.
        width: Columns there are, from 60.

    Returns:
        Lines of at most `width` characters, ending in totals and the convention.

    Example:
        >>> print(ledger_text(Ledger(network="empty", input_shapes={}, rows=(), convention="MACs")))
        empty
        layer  kind  output  parameters  MACs  field  stride
        ----------------------------------------------------
        parameters   0 (0 trained)
        buffers      0
        MACs         0
        activations  0 bytes, all layers, one sample in float32
        Convention: MACs.
        <BLANKLINE>
    """
    rows = [_narrow(row, arithmetic=True) for row in ledger.rows]
    beside = _used(rows) <= width
    rows = _fit(rows if beside else [_narrow(row, arithmetic=False) for row in ledger.rows], width)
    voice = speaker(spoken())
    header, rows = _heading(_NARROW, voice), [_said(row, voice) for row in rows]
    widths = [max(map(columns, column)) for column in zip(header, *rows, strict=True)]
    rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
    inputs = ", ".join(
        str(shape) if name == "input" else f"{shown(name)} {shape}" for name, shape in ledger.input_shapes.items()
    )
    title = voice.say(f"{shown(ledger.network)}, input {inputs}") if inputs else shown(ledger.network)
    lines = [*textwrap.wrap(title, width), _line(header, widths), rule, *(_line(row, widths) for row in rows)]
    if not beside:
        lines += [rule, *(line for row in ledger.rows if row.formula for line in _arithmetic(row, width))]
    if rows:
        lines.append(rule)
    for name, value in _totals(ledger, voice):
        lines += textwrap.wrap(to_left(name, 11) + "  " + value, width, subsequent_indent=" " * 13)
    return "\n".join([*lines, *textwrap.wrap(voice.say(f"Convention: {shown(ledger.convention)}."), width), ""])


def _narrow(row: LayerCost, *, arithmetic: bool) -> tuple[str, ...]:
    """A row without its formula, or with the formula in the place of the number it gives."""
    cells = dict(zip(_HEADER, _cells(row), strict=True))
    if arithmetic and row.formula and row.trainable:
        cells["parameters"] = cells["formula"]
    return tuple(cells[name] for name in _NARROW)


def _arithmetic(row: LayerCost, width: int) -> list[str]:
    return textwrap.wrap(f"{shown(row.name)}: {shown(row.formula)}", width, subsequent_indent="    ")


def _used(rows: list[tuple[str, ...]]) -> int:
    columns = zip(_NARROW, *rows, strict=True)
    return sum(max(len(cell) for cell in column) for column in columns) + 2 * (len(_NARROW) - 1)


def _fit(rows: list[tuple[str, ...]], width: int) -> list[tuple[str, ...]]:
    """Shorten what is too wide: first large MACs, then kinds, then names."""
    if _used(rows) > width:
        rows = [(*row[:4], _short(row[4]), *row[5:]) for row in rows]
    for column, least in ((1, 11), (0, 16), (1, 8), (0, 6), (2, 8)):
        over = _used(rows) - width
        if over > 0:
            wide = max(len(row[column]) for row in rows)
            room = max(least, wide - over)
            rows = [(*row[:column], _cut(row[column], room), *row[column + 1 :]) for row in rows]
    return rows


def _short(cell: str) -> str:
    bare = cell.replace(",", "")
    return short_number(int(bare)) if bare.isdigit() else cell


def _cut(text: str, room: int) -> str:
    if len(text) <= room:
        return text
    tail = (room - 1) * 2 // 3
    return f"{text[: room - 1 - tail]}…{text[len(text) - tail :]}"


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    words = [
        fenced(to_left(cell, size) if name in {"layer", "kind", "output"} else to_right(cell, size))
        for name, cell, size in zip(_NARROW, cells, widths, strict=True)
    ]
    return "  ".join(words).rstrip()


def ledger_markdown(ledger: Ledger) -> str:
    """Write a ledger as a Markdown table with the arithmetic of every row.

    Args:
        ledger: The counts.

    Returns:
        Markdown; the totals and the convention stand under the table.

    Example:
        >>> print(ledger_markdown(Ledger(network="empty", input_shapes={}, rows=())).splitlines()[0])
        | layer | kind | output | parameters | formula | MACs | field | stride |
    """
    voice = speaker(spoken())
    lines = ["| " + " | ".join(_heading(_HEADER, voice)) + " |", "|---|---|---|---:|---|---:|---:|---:|"]
    lines += ["| " + " | ".join(map(escape_markdown, _said(_cells(row), voice))) + " |" for row in ledger.rows]
    lines += ["", *(f"- {name}: {escape_markdown(value)}" for name, value in _totals(ledger, voice))]
    said = f"- {voice.say('convention', 'count')}: {escape_markdown(voice.say(shown(ledger.convention)))}"
    return "\n".join([*lines, said, ""])


def ledger_csv(ledger: Ledger) -> str:
    """Write a ledger as CSV with plain numbers, one row a layer; uncounted MACs are empty.

    Args:
        ledger: The counts.

    Returns:
        CSV with a header; totals are left to the reader's program.

    Example:
        >>> ledger_csv(Ledger(network="empty", input_shapes={}, rows=())).split(",")[0]
        'layer'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ("layer", "kind", "output_shape", "parameters", "buffers", "trainable", "formula", "macs", "activation_bytes",
         "receptive_field", "stride")
    )  # fmt: skip
    for row in ledger.rows:
        writer.writerow(
            (_inert(row.name), _inert(row.kind), row.output_shape, row.parameters, row.buffers, row.trainable,
             _inert(row.formula), "" if row.macs is None else row.macs, row.activation_bytes,
             "x".join(map(str, row.receptive_field)), "x".join(map(str, row.stride)))
        )  # fmt: skip
    return out.getvalue()


def _inert(text: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    words = shown(text)
    return f"'{words}" if words[:1] in {"=", "+", "-", "@"} else words


def ledger_html(ledger: Ledger) -> str:
    """Write a ledger as an HTML table, to be put into a page.

    Args:
        ledger: The counts.

    Returns:
        A `<table>` element; every text in it is escaped.

    Example:
        >>> ledger_html(Ledger(network="<b>", input_shapes={}, rows=())).splitlines()[1]
        '<caption>&lt;b&gt;</caption>'
    """
    voice = speaker(spoken(), isolated=True)
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in _heading(_HEADER, voice))
    body = [
        "<tr>" + "".join(
            f'<th scope="row">{escape(cell)}</th>' if index == 0 else f'<td dir="ltr">{escape(cell)}</td>'
            for index, cell in enumerate(_said(_cells(row), voice))
        ) + "</tr>"
        for row in ledger.rows
    ]  # fmt: skip
    convention = voice.say("convention", "count"), voice.say(ledger.convention)
    totals = "<br>".join(f"{escape(name)}: {escape(value)}" for name, value in (*_totals(ledger, voice), convention))
    foot = f'<tr><td colspan="{len(_HEADER)}">{totals}</td></tr>'
    lines = ["<table>", f"<caption>{escape(ledger.network)}</caption>", f"<thead><tr>{head}</tr></thead>", "<tbody>"]
    return "\n".join([*lines, *body, "</tbody>", f"<tfoot>{foot}</tfoot>", "</table>", ""])


FORMS: Mapping[str, Callable[[Ledger], str]] = MappingProxyType({
    "text": ledger_text,
    "markdown": ledger_markdown,
    "csv": ledger_csv,
    "html": ledger_html,
})


def write_ledger(ledger: Ledger, form: str = "text") -> str:
    """Write a ledger in a form chosen by name.

    Args:
        ledger: The counts.
        form: A key of `FORMS`.

    Returns:
        The table.

    Raises:
        PlanError: There is no such form.

    Example:
        >>> write_ledger(Ledger(network="empty", input_shapes={}, rows=()), "csv")[:5]
        'layer'
    """
    if form not in FORMS:
        raise PlanError(f"a count is written as {', '.join(FORMS)}, not as {form!r}")
    return FORMS[form](ledger)
