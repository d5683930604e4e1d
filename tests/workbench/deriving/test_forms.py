import pathlib

import pytest

from thalweg.core.errors import PlanError
from thalweg.workbench.deriving.forms import FORMS, choose_form, write_paper
from thalweg.workbench.deriving.layer import derive_layer


def test_the_ending_decides_and_a_word_overrules():
    assert choose_form(None, pathlib.Path("a.HTML")) == "html"
    assert choose_form("latex", pathlib.Path("a.html")) == "latex"
    assert choose_form(None, None) == "text"


@pytest.mark.parametrize(("form", "out"), [("pdf", None), (None, "a.pdf"), (None, "no/a.html"), ("html", ".")])
def test_what_cannot_be_written_is_refused(form, out):
    with pytest.raises(PlanError):
        choose_form(form, out and pathlib.Path(out))


def test_every_form_writes_a_dependence():
    answer = derive_layer("lenet", layer="conv2", at="0,0,0")
    written = [write_paper(answer, form) for form in FORMS]
    assert len(set(written)) == len(FORMS)
    assert all("conv2" in text for text in written)
