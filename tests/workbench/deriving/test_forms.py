import pathlib

import pytest

from thalweg.core.errors import PlanError
from thalweg.workbench.deriving.forms import FORMS, choose_form, keep_paper, write_paper
from thalweg.workbench.deriving.layer import derive_layer
from thalweg.workbench.deriving.request import derive


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


@pytest.mark.parametrize("form", FORMS)
def test_only_an_earlier_answer_is_replaced(form, tmp_path):
    file = tmp_path / "thesis"
    first, second = (derive("conv2d", x="[[1,2],[3,4]]", f=f) for f in ("[[1]]", "[[2]]"))
    keep_paper(first, form, file)
    keep_paper(second, form, file)
    assert file.read_text(encoding="utf-8") == write_paper(second, form)
    file.write_text("My thesis\n")
    with pytest.raises(PlanError, match="is there already"):
        keep_paper(first, form, file)
    assert file.read_text() == "My thesis\n"
