"""Every text of the live page's script and frame stands in every catalogue, and none is written past `say`."""

import importlib.resources
import re

import pytest

from thalweg.core.languages import languages, speaker
from thalweg.workbench.following.run_view import RunView

SCRIPTS = ("parts.js", "charts.js", "app.js")
SAID = re.compile(r'\bsay\(\s*"((?:[^"\\]|\\.)*)"')
GAP = re.compile(r"\{(\w+)\}")
NOT_SHOWN = {"Escape", "thalweg train photos", "thalweg compare", "button main", "badge failed"}
"""A key, commands, and two pairs of classes."""


def source(name):
    return importlib.resources.files("thalweg.dashboard").joinpath("page", name).read_text("utf-8")


def charts(folder):
    """The charts of a run with every curve there is."""
    header = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds\n"
    (folder / "history.csv").write_text(header + "1,1,0.5,1,0.5,0.1,1\n2,1,0.5,1,0.5,0.1,2\n")
    (folder / "steps.csv").write_text("step,loss,learning_rate,gradient_norm\n1,1,0.1,1\n2,1,0.1,1\n")
    return RunView(folder).charts()


def texts(folder):
    """Every text that the page says, as `say` is given it."""
    found = re.findall(r"\{\{(.+?)\}\}", source("index.html"))
    for name in SCRIPTS:
        found += [text.replace(r"\"", '"') for text in SAID.findall(source(name))]
    for chart in charts(folder):
        found += [chart["title"], chart["by"], *(line["label"] for line in chart["lines"])]
        found += [chart["unit"]] if chart["unit"] not in {"", "share"} else []
    return list(dict.fromkeys(found))


@pytest.mark.parametrize("language", languages()[1:])
def test_no_text_of_the_live_page_is_left_untranslated(tmp_path, language):
    known, wanted = speaker(language).listed("page"), texts(tmp_path)
    assert len(wanted) > 80
    missing = [text for text in wanted if text not in known]
    assert not missing, "\n\n".join(f'msgctxt "page"\nmsgid "{text}"\nmsgstr ""' for text in missing)
    assert [text for text in known if text not in wanted] == []  # nobody says these any more


@pytest.mark.parametrize("language", languages()[1:])
def test_its_translations_have_the_same_gaps(language):
    known = speaker(language).listed("page")
    assert [text for text, said in known.items() if {*GAP.findall(text)} != {*GAP.findall(said)}] == []


def unsaid(script):
    """Texts of a script that a reader would see and that are not given to `say`."""
    bare = re.sub(r"^\s*(//|\*|/\*).*$|\s//\s.*$", "", script, flags=re.MULTILINE)
    bare = SAID.sub("say(", bare)
    bare = re.sub(
        r'\b(class|className|d|viewBox|"stroke-dasharray"|rel|target|role|type): ?(`[^`]*`|"[^"]*")', "", bare
    )
    found = []
    for text, template in re.findall(r'"((?:[^"\\\n]|\\.)*)"|`([^`]*)`', bare):
        words = text or re.sub(r"\$\{(?:[^{}]|\{[^}]*\})*\}", "", template)
        found += [words] if re.search(r"[A-Za-z]{2,} +[A-Za-z]{2,}|^[A-Z][a-z]+", words) else []
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_text_is_written_past_say(name):
    listed = {*SAID.findall(source("app.js"))}
    assert [text for text in unsaid(source(name)) if text not in NOT_SHOWN | listed] == []


def test_a_text_that_is_written_past_say_is_found():
    script = 'el("p", { class: "note small" }, "No values yet.");\nel("b", {}, `${number} of them`);\nsay("Known text")'
    assert unsaid(script) == ["No values yet.", " of them"]


def test_the_frame_has_no_text_of_its_own():
    bare = re.sub(r"\{\{.+?\}\}|<[^>]*>|·|thalweg", " ", source("index.html"))
    assert re.findall(r"[A-Za-z]+", bare) == []
