import csv
import io
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from thalweg.core.errors import PlanError
from thalweg.rendering.texts.ledger import FORMS, ledger_csv, ledger_html, ledger_markdown, ledger_text, write_ledger


def test_text_fits_eighty_columns_whatever_the_names(networks):
    for _, ledger in networks.values():
        long = tuple(replace(row, name=f"features.denseblock4.{row.name}.conv", macs=10**12) for row in ledger.rows)
        for table in (ledger, replace(ledger, rows=long)):
            assert max(map(len, ledger_text(table).splitlines())) <= 80


def test_the_arithmetic_stands_beside_a_layer_or_under_the_table(networks):
    _, ledger = networks["chain"]
    assert "8x32x32  (27 + 1)*8 = 224" in ledger_text(ledger)
    long = tuple(replace(row, name=f"features.denseblock4.{row.name}") for row in ledger.rows)
    assert "\nfeatures.denseblock4.conv1: (27 + 1)*8 = 224\n" in ledger_text(replace(ledger, rows=long), 70)


def test_totals_and_convention_are_said_in_every_form_for_people(networks):
    _, ledger = networks["chain"]
    for form in ("text", "markdown", "html"):
        words = " ".join(write_ledger(ledger, form).split())
        assert "853" in words, form
        assert "without bias additions and without" in words, form
    assert "| conv1 | conv2d | 8x32x32 | 224 | (27 + 1)\\*8 = 224 |" in ledger_markdown(ledger)


def test_an_uncounted_layer_is_named_and_never_counts_as_nothing(networks):
    _, ledger = networks["chain"]
    unknown = replace(ledger, rows=(replace(ledger.rows[0], macs=None), *ledger.rows[1:]))
    text = ledger_text(unknown)
    assert "uncounted" in text
    assert "unknown: nothing counts conv1" in text
    assert next(csv.DictReader(io.StringIO(ledger_csv(unknown))))["macs"] == ""


def test_csv_gives_plain_numbers_that_add_up(networks):
    _, ledger = networks["residual"]
    rows = list(csv.DictReader(io.StringIO(ledger_csv(ledger))))
    assert sum(int(row["parameters"]) for row in rows) == ledger.parameters
    assert sum(int(row["macs"]) for row in rows) == ledger.macs
    assert sum(int(row["buffers"]) for row in rows) == ledger.buffers


def test_a_name_is_no_formula_for_a_spreadsheet(networks):
    _, ledger = networks["chain"]
    odd = replace(ledger, rows=(replace(ledger.rows[0], name="=1+1"),))
    assert next(csv.DictReader(io.StringIO(ledger_csv(odd))))["layer"] == "'=1+1"


def test_html_is_a_whole_table_and_names_stay_text(networks):
    _, ledger = networks["ends"]
    root = ET.fromstring(ledger_html(ledger).replace("<br>", "<br/>"))  # noqa: S314 - our own text
    assert root.tag == "table"
    assert len(root.findall("tbody/tr")) == len(ledger.rows)
    assert not list(root.iter("script"))


def test_frozen_parameters_are_marked_and_not_called_trained(networks):
    _, ledger = networks["chain"]
    frozen = replace(ledger, rows=(replace(ledger.rows[0], trainable=False), *ledger.rows[1:]))
    assert "224 frozen" in ledger_text(frozen)
    assert "853 (629 trained)" in ledger_text(frozen)


def test_an_unknown_form_is_refused_with_the_known_ones(networks):
    with pytest.raises(PlanError, match=", ".join(FORMS)):
        write_ledger(networks["chain"][1], "pdf")


def test_the_count_of_a_small_network_is_as_it_was(networks, golden):
    golden("ledger.txt", ledger_text(networks["residual"][1]))
