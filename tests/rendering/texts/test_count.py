import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from thalweg.core.errors import PlanError
from thalweg.core.network_results import CountResult, CountTotal, SolvedSize, StepMemory
from thalweg.rendering.texts.count import solved_sentence, write_count
from thalweg.rendering.texts.ledger import FORMS

SOLVED = SolvedSize(question="conv1=8*32", layer="conv1", wanted=256, ranges=((4, 5), (7, 7)), axes=2)


@pytest.fixture
def result(networks):
    _, ledger = networks["chain"]
    total = CountTotal(
        parameters=ledger.parameters,
        trainable_parameters=ledger.parameters,
        buffers=ledger.buffers,
        macs=ledger.macs,
        activation_bytes_inference=950,
        activation_bytes_training=18_500,
        receptive_field=(3, 3),
    )
    memory = (
        StepMemory(optimizer="sgd", state_bytes=0, batch_size=32, peak_bytes=10**6),
        StepMemory(optimizer="adam", state_bytes=6824, batch_size=32, peak_bytes=10**9),
    )
    return CountResult(ledger=ledger, total=total, memory=memory, solved=SOLVED, note="Usual for chain: all of it.")


def test_text_tells_table_sums_memory_and_answer_within_80_columns(result):
    text = write_count(result)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0] == "Usual for chain: all of it."
    assert " ".join(lines[-2:]) == solved_sentence(SOLVED)
    assert text.endswith(".\n")
    assert "950 B at once for inference, 18.5 KB" in text
    assert [line.split() for line in lines if line.startswith(("SGD", "Adam"))] == [
        ["SGD", "0", "B", "1.00", "MB"],
        ["Adam", "6.82", "KB", "1.00", "GB"],
    ]


def test_sums_by_kind_add_up_to_all(result):
    lines = write_count(result).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("kind "))
    rows = {}
    for line in lines[start + 2 :]:
        kind, number, *rest = line.split()
        rows[kind] = (int(number), int(rest[0].replace(",", "")))
        if kind == "all":
            break
    assert rows.pop("all") == (len(result.layers), result.ledger.parameters)
    assert sum(parameters for _, parameters in rows.values()) == result.ledger.parameters
    assert lines[start + len(rows) + 3].startswith("Without weights and multiplications: ")


def test_the_largest_layers_come_first_and_trifles_not_at_all(result):
    heavy = replace(result.layers[2], parameters=10**6, macs=1)
    busy = replace(result.layers[-1], parameters=1, macs=10**9)
    rows = (*result.layers[:2], heavy, *result.layers[3:-1], busy)
    lines = write_count(replace(result, ledger=replace(result.ledger, rows=rows))).splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("largest layers "))
    assert {line.split()[0] for line in lines[start + 2 : start + 4]} == {heavy.name, busy.name}
    assert lines[start + 4] == ""


def test_long_names_are_cut_at_their_beginning(result):
    rows = tuple(replace(row, name=f"{'deep.' * 20}{row.name}") for row in result.layers)
    text = write_count(replace(result, ledger=replace(result.ledger, rows=rows)))
    assert max(map(len, text.splitlines())) <= 80
    assert "p.conv1 " in text


def test_what_nobody_counts_is_said(result):
    first, *others = result.layers
    ledger = replace(result.ledger, rows=(replace(first, macs=None), *others))
    row = next(line for line in write_count(replace(result, ledger=ledger)).splitlines() if line.startswith(first.kind))
    assert "uncounted" in row
    total = next(line for line in write_count(replace(result, ledger=ledger)).splitlines() if line.startswith("all "))
    assert "uncounted" in total


def test_markdown_separates_tables_and_html_is_well_formed(result):
    markdown = write_count(result, "markdown").splitlines()
    assert markdown[0] == "# chain, input 3x32x32"
    ruled = [number for number, line in enumerate(markdown) if line.startswith("|---")]
    assert [markdown[number - 2] for number in ruled] == [""] * 4
    page = ET.fromstring(write_count(result, "html").replace("<br>", "<br/>"))  # noqa: S314 - our own text
    assert (page.findtext("head/title"), page.findtext("body/h1")) == ("chain", "chain, input 3x32x32")
    assert len(page.findall("body/table")) == 4
    assert not list(page.iter("script"))
    hostile = replace(result, ledger=replace(result.ledger, network="<script>"))
    assert "<script>" not in write_count(hostile, "html")


def test_a_page_is_as_wide_as_a_phone_and_its_tables_scroll_by_themselves(result):
    page = write_count(result, "html")
    assert "width=device-width" in page
    assert "table{display:block;overflow-x:auto}" in page


@pytest.mark.parametrize("form", FORMS)
def test_every_form_ends_in_one_newline(result, form):
    assert write_count(result, form).endswith("\n")
    assert not write_count(result, form).endswith("\n\n")


def test_an_unknown_form_is_refused(result):
    with pytest.raises(PlanError, match="not as 'pdf'"):
        write_count(result, "pdf")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, "conv1=8*32: conv1 gives 256 values at input sizes 4 to 5, 7 (each of the 2 axes)."),
        ({"axes": 1, "ranges": ((7, 7),)}, "conv1=8*32: conv1 gives 256 values at input size 7."),
        ({"ranges": ()}, "conv1=8*32: at no input size does conv1 give 256 values."),
        (
            {"ranges": (), "nearest": (200, 1300)},
            "conv1=8*32: at no input size does conv1 give 256 values; it can give 200 or 1,300.",
        ),
    ],
)
def test_the_answer_is_a_sentence(change, told):
    assert solved_sentence(replace(SOLVED, **change)) == told
