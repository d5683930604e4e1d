"""What a notebook shows: every value as HTML or mathematics that loads nothing, and progress that does not flood."""

import importlib
import json
import re
import sys
import types
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

import thalweg
from thalweg.core.codec import dumps, from_plain
from thalweg.core.comparison import Comparison
from thalweg.core.explanation import ExplainResult
from thalweg.core.finding import Evidence, Finding
from thalweg.core.lab import LabResult
from thalweg.core.report import Curves, Line, Matrix, Paragraph, Picture, PictureGrid, Report, Section, Table
from thalweg.core.results import TrainResult
from thalweg.core.showing import Showable
from thalweg.rendering.pages.notebook import report_html
from thalweg.rendering.words import words_for
from thalweg.workbench.describing.describing import describe
from thalweg.workbench.notebook import _SHOWN, bundle
from thalweg.workbench.telling.telling import silent, whoever_is_here

HOSTILE = "<script>alert(1)</script>"
LOG = {"loss": [0.69, 0.70, 1.5, 4.0, 9.1, 25.0], "val_loss": [0.7, 0.8, 1.9, 5.0, 11.0, 30.0]}


class _Reader(HTMLParser):
    """Tags of a cell, with what might load or run something."""

    def __init__(self):
        super().__init__()
        self.tags, self.loads, self.open = set(), [], []

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.loads += [
            value
            for name, value in attributes
            if (name in {"src", "href"} and not value.startswith("data:image/")) or name.startswith("on")
        ]


def _read(html):
    reader = _Reader()
    reader.feed(html)
    assert reader.loads == []
    assert not reader.tags & {"script", "iframe", "link", "object"}
    return reader.tags


@pytest.fixture(scope="module")
def diagnosed():
    return thalweg.diagnose(LOG)


@pytest.fixture
def trained(tmp_path):
    """A finished run's answer, with its report as data."""
    figure = Curves(caption="Loss", x_label="epoch", y_label="nats", lines=(Line(label="a", x=(1, 2), y=(2, 1)),))
    picture = Picture(data=b"\x89PNG", media_type="image/png", caption=HOSTILE)
    blocks = (
        figure,
        PictureGrid(caption="Photos", pictures=(picture,)),
        Matrix(caption="Confusion", labels=("a", HOSTILE), counts=((3, 1), (0, 4))),
        Table(caption="Numbers", header=("a",), rows=((HOSTILE,),)),
        Paragraph(text=HOSTILE, style="warning"),
    )
    report = Report(title=HOSTILE, answer=("84 % are right.",), sections=(Section(title="Training", blocks=blocks),))
    (tmp_path / "report.json").write_text(dumps(report))
    (tmp_path / "report.html").write_text("<p>")
    fields = {
        **dict.fromkeys(("files", "train_files", "test_files", "parameters", "epochs", "best_epoch"), 1),
        **dict.fromkeys(("seconds", "images_per_second", "accuracy", "best_accuracy", "majority_accuracy"), 0.5),
        "task": "classification",
        "network": "small",
        "classes": ["a", "b"],
        "left_out": [],
        "learning_rate": 1e-3,
        "accuracy_interval": [0.4, 0.6],
    }
    return from_plain(TrainResult, {**fields, "run": str(tmp_path), "report": str(tmp_path / "report.html")})


def test_a_run_shows_its_report(trained, tmp_path):
    html = trained._repr_html_()
    assert _read(html) >= {"svg", "table", "img", "details"}
    assert HOSTILE not in html
    assert "84 % are right." in html
    (tmp_path / "report.html").unlink()
    assert "Right on 50.0%" in trained._repr_html_()
    (tmp_path / "report.html").write_text("")
    (tmp_path / "report.json").unlink()
    assert trained._repr_mimebundle_() == {}  # what it was made of is gone; its text is still there


def test_a_diagnosis_and_its_parts_show_themselves(diagnosed):
    (run,) = diagnosed.results
    for value in (diagnosed, run):
        assert "svg" in _read(value._repr_html_())
    assert "too high" in run.learning_rate._repr_html_()
    assert "What to do" in next(each for each in run.findings if each.remedies)._repr_html_()
    evidence = Evidence(signal=HOSTILE, window=HOSTILE, observed=1.0)
    hostile = Finding(
        code="X", name="x", severity="info", confidence=1, subject="run", claim=HOSTILE, evidence=(evidence,)
    )
    _read(hostile._repr_html_())


def test_networks_and_ledgers_show_themselves():
    counted = thalweg.count("lenet")
    spec = describe("lenet", input=None, classes=None).spec
    assert f"{counted.total.parameters:,} parameters" in counted._repr_html_()
    for value in (counted, counted.ledger, spec):
        _read(value._repr_html_())
    figure = spec._repr_html_()
    ET.fromstring(figure[figure.index("<svg") : figure.index("</svg>") + 6])  # noqa: S314 - our own


def test_a_derivation_is_mathematics():
    answer = thalweg.derive(x="3x3", f="2x2")
    shown = answer._repr_mimebundle_()
    assert set(shown) == {"text/markdown"}
    assert "$$" in shown["text/markdown"]
    assert answer._repr_html_() is None


def test_labs_comparisons_and_rules_show_themselves():
    table = Table(caption="t", header=("a",), rows=(("1",),))
    lab = LabResult(name="x", question="Why?", setup={"a": "b"}, table=table, findings=(), limits=("few",))
    looked = ExplainResult(
        run=HOSTILE, page=None, network="small", form="picture", extents=(8, 8), classes=("a",), layer=None, stages=(),
        samples=(), sanity=(), searched="",
    )  # fmt: skip
    for value in (lab, looked, Comparison(runs=(), differing=(), differences=()), thalweg.rule("LRN001")):
        page = value._repr_html_()
        assert page
        _read(page)


def test_every_kind_that_is_shown_asks_to_be():
    for name in ("dependence", "landscape", "derivation", "network_spec", "explanation"):
        importlib.import_module(f"thalweg.core.{name}")
    kinds, left = {Showable}, [Showable]
    while left:
        left = [kind for parent in left for kind in parent.__subclasses__()]
        kinds |= set(left)
    assert {kind.__name__ for kind in kinds} - {"Showable"} >= set(_SHOWN)
    assert bundle(object()) == {}


def test_a_value_without_the_root_has_only_its_text(monkeypatch, diagnosed):
    monkeypatch.setattr(Showable, "painter", None)
    assert diagnosed._repr_html_() is None


def test_long_tables_are_cut_and_told():
    table = Table(caption="", header=("a",), rows=tuple((str(k),) for k in range(100)))
    html = report_html(Report(title="", answer=(), sections=(Section(title="s", blocks=(table,)),)))
    assert "More rows (60)" in html


def test_outside_a_notebook_nobody_listens(monkeypatch):
    assert whoever_is_here().say is silent().say
    fake = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace(kernel=None))
    monkeypatch.setitem(sys.modules, "IPython", fake)
    assert whoever_is_here().say is silent().say


def test_progress_is_one_picture_drawn_again(monkeypatch, capsys):
    from thalweg.training.progress import Progress

    shown = []

    class Handle:
        def update(self, what, *, raw):
            shown.append(("again", raw, what["text/html"]))

    def display(what, *, raw, display_id):
        shown.append(("new", raw, what["text/html"]))
        return Handle()

    shell = types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setitem(sys.modules, "IPython.display", types.SimpleNamespace(display=display))
    listener = whoever_is_here()
    listener.say("Found 48 files.\x1b[31m")
    assert capsys.readouterr().out == "Found 48 files.\\u001b[31m\n"
    numbers = {"train_loss": 0.5, "val_loss": 0.6, "val_accuracy": 0.8}
    for epoch in range(1, 501):
        listener.train(
            Progress(
                epoch=epoch,
                epochs=500,
                step=1,
                steps=1,
                fraction=epoch / 500,
                loss=0.5,
                accuracy=0.5,
                learning_rate=1e-3,
                images_per_second=9.0,
                seconds_left=1.0,
                row={"epoch": epoch, **numbers},
            )
        )
    assert shown[0][0] == "new"
    assert {kind for kind, _, _ in shown[1:]} == {"again"}
    assert 2 <= len(shown) < 50
    assert "epoch 500 of 500, 100% done" in shown[-1][2]
    assert "svg" in _read(shown[-1][2])
    json.dumps(shown)


class _Words(HTMLParser):
    """What a reader of a cell sees."""

    def __init__(self):
        super().__init__()
        self.texts, self.hidden = [], False

    def handle_starttag(self, tag, _):
        self.hidden = tag == "style"

    def handle_endtag(self, _):
        self.hidden = False

    def handle_data(self, text):
        self.texts += [] if self.hidden else [text]


def _english(value):
    """Words of a cell in Latin letters."""
    reader = _Words()
    reader.feed(value._repr_html_())
    names = r"[A-Z]{3}\d{3}|\b\w*_\w*\b|\b\w+\d\b|\w+\.\w+|\d\S*"  # codes, fields, layers, files, sizes
    return {word for text in reader.texts for word in re.findall("[A-Za-z]{2,}", re.sub(names, "", text))}


@pytest.fixture
def persian():
    thalweg.speak("fa")
    yield
    thalweg.speak("en")


def test_cells_are_in_the_language_of_the_reader(diagnosed, persian):
    (run,) = diagnosed.results
    counted = thalweg.count("lenet")
    kinds = {"input", "rescale", "tanh", "avg", "linear", "flatten", "softmax", "conv", "scale", "offset"}
    known = kinds | {"lenet", "torch", "bytes", "numel", "float", "ReLU", "history", "Keras", "History", "NaN", "decay"}
    for value in (diagnosed, run, run.learning_rate, *run.findings, counted, counted.ledger):
        assert _english(value) - known == set(), type(value)
    spec = describe("lenet", input=None, classes=None).spec
    assert _english(spec) - known - {"pool", "padding", "stride", "valid", "bias"} == set()
    assert 'dir="rtl"' in run._repr_html_()
    assert "۶۱٬۷۰۶ پارامتر" in counted._repr_html_()
    assert "گذر پیش‌رو" in thalweg.derive(x="3x3", f="2x2")._repr_mimebundle_()["text/markdown"]
    assert "نرخ یادگیری" in thalweg.rule("LRN001")._repr_html_()


def test_a_report_in_a_cell_is_in_the_language_of_the_reader(trained, persian, tmp_path):
    html = trained._repr_html_()
    assert "<details open><summary>آموزش" in html  # found by its English title
    assert words_for("fa")["true"] in html
    assert HOSTILE not in html
    (tmp_path / "report.html").unlink()
    assert "۵۰٫۰٪ درست است" in trained._repr_html_()


def test_long_tables_and_unshown_blocks_are_told_in_persian(persian):
    table = Table(caption="", header=("a",), rows=tuple((str(k),) for k in range(100)))
    wide = Matrix(caption="Confusion", labels=tuple(map(str, range(30))), counts=((0,) * 30,) * 30)
    html = report_html(Report(title="", answer=(), sections=(Section(title="s", blocks=(table, wide)),)))
    assert "۶۰ سطر دیگر" in html
    assert "گزارش این را نشان می‌دهد." in html


def test_the_language_is_that_of_the_process_and_a_command_line_stands_above_it(persian):
    from concurrent.futures import ThreadPoolExecutor

    from thalweg.core.languages import speaking, spoken

    with ThreadPoolExecutor(1) as pool:  # another context, as each cell of a notebook has one
        assert pool.submit(spoken).result() == "fa"
    with speaking("en"):
        assert spoken() == "en"
    with pytest.raises(thalweg.ThalwegError, match="there is no catalogue for 'tlh'"):
        thalweg.speak("tlh")
    assert spoken() == "fa"
