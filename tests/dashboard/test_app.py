import importlib.resources
import re

import pytest

from thalweg.core.codec import dumps
from thalweg.core.holding import held
from thalweg.core.live_state import STOP_FILE
from thalweg.core.report import Report
from thalweg.rendering.pages.html import render_html
from thalweg.rendering.palette import LINES_DARK, LINES_LIGHT


def test_every_run_is_listed_with_what_is_known_of_it(page):
    runs = {each["name"]: each for each in page("/api/runs").json()["runs"].values()}
    assert set(runs) == {"first", "halted", "گربه‌ها <script>alert(1)</script>"}
    first = runs["first"]
    assert (first["phase"], first["accuracy"], first["accuracy_interval"]) == ("finished", 0.7, [0.6, 0.8])
    assert first["warnings"] == ["too_few_epochs"]
    assert runs["halted"]["phase"] == "stopped"
    assert runs["halted"]["resumable"]


def test_a_run_shows_its_plan_curves_and_findings(page, keys):
    found = page(f"/api/runs/{keys['first']}").json()
    assert found["plan"]["source"] == "photos"
    assert [chart["key"] for chart in found["charts"]] == [
        *("loss", "accuracy"),
        *("batch_loss", "batch_learning_rate", "batch_gradient_norm"),
    ]
    training, validation = found["charts"][0]["lines"]
    assert training["x"] == [1, 2, 3]
    assert validation["mean"] == [1.1, 0.55, 0.366667]
    assert found["findings"][0]["name"] == "too_few_epochs"


def test_a_stretch_of_a_run_can_be_looked_at_closely(page, keys):
    charts = page(f"/api/runs/{keys['first']}/charts?from=5&to=9&limit=100").json()["charts"]
    (steps,) = [chart for chart in charts if chart["key"] == "batch_loss"]
    assert steps["lines"][0]["x"] == [5, 6, 7, 8, 9]
    assert page(f"/api/runs/{keys['first']}/charts?from=nonsense&to=nan&limit=-3").status_code == 200


def test_a_report_is_a_stranger_to_the_page(page, keys):
    answer = page(f"/api/runs/{keys['first']}/report")
    assert "the report" in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy


def test_a_report_that_is_a_link_elsewhere_is_not_followed(page, shelf, keys, tmp_path):
    report = shelf.folder(keys["first"]) / "report.html"
    report.unlink()
    try:
        report.symlink_to(tmp_path / "secret.txt")
    except OSError:
        pytest.skip("links cannot be made here")
    answer = page(f"/api/runs/{keys['first']}/report")
    assert answer.status_code == 403
    assert "the secret" not in answer.text


def test_stopping_leaves_a_request_where_a_run_is_training(page, shelf, keys):
    folder = shelf.folder(keys["halted"])
    refused = page(f"/api/runs/{keys['halted']}/stop", "POST", x_thalweg="1")
    assert refused.status_code == 409
    assert "is not training (stopped)" in refused.json()["error"]
    assert not (folder / STOP_FILE).exists()
    with held(folder):
        assert page(f"/api/runs/{keys['halted']}/stop", "POST", x_thalweg="1").json() == {"done": True}
    assert (folder / STOP_FILE).exists()


def test_a_finished_run_is_not_resumed(page, keys):
    answer = page(f"/api/runs/{keys['first']}/resume", "POST", x_thalweg="1")
    assert answer.status_code == 409
    assert "cannot be resumed: it is finished" in answer.json()["error"]


@pytest.mark.parametrize("path", ["", "/report", "/charts"])
def test_a_run_that_is_not_there(page, path):
    assert page(f"/api/runs/0000000000000000{path}").status_code == 404


def test_the_persian_page_is_persian_from_its_frame_to_its_refusals(persian_page, keys):
    frame = persian_page("/").text
    assert '<html lang="fa" dir="rtl">' in frame
    assert "<title>اجراها" in frame
    assert "{{" not in frame
    assert "ذخیره و توقف".encode("unicode_escape").decode() in persian_page("/page/words.js").text
    run = persian_page(f"/api/runs/{keys['first']}").json()
    assert (run["findings"][0]["title"], run["findings"][0]["claim"]) == ("دوره‌های کم", "کوتاه.")
    assert run["plan"]["source"] == "photos"
    refused = persian_page(f"/api/runs/{keys['first']}/resume", "POST", x_thalweg="1")
    assert "وضعیتش پایان‌یافته است" in refused.json()["error"]
    assert persian_page("/api/runs/none").json()["error"] == "چنین اجرایی نیست"
    assert "رمز" in persian_page("/", token=None).text


def test_a_report_of_another_language_is_rendered_in_that_of_the_page(page, persian_page, shelf, keys):
    folder, address = shelf.folder(keys["first"]), f"/api/runs/{keys['first']}/report"
    content = Report(title="Worst mistakes", answer=("No file was left out.",), sections=())
    (folder / "report.json").write_text(dumps(content), "utf-8")
    (folder / "report.html").write_text(render_html(content, language="en") + "<!-- the file -->", "utf-8")
    assert "the file" in page(address).text
    rendered = persian_page(address)
    assert 'lang="fa" dir="rtl"' in rendered.text
    assert "هیچ فایلی کنار گذاشته نشد." in rendered.text
    assert rendered.headers["content-security-policy"].startswith("sandbox")
    (folder / "report.json").write_text("{", "utf-8")
    assert "the file" in persian_page(address).text  # rather in English than not at all


def test_the_page_needs_nothing_from_elsewhere():
    folder = importlib.resources.files("thalweg.dashboard").joinpath("page")
    for file in folder.iterdir():
        text = file.read_text(encoding="utf-8")
        addresses = {found for found in re.findall(r"https?://[^\s'\"`)]+", text) if "www.w3.org" not in found}
        assert addresses == set(), file.name
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert forbidden not in text, file.name


def test_the_page_has_the_colours_of_the_figures():
    style = importlib.resources.files("thalweg.dashboard").joinpath("page", "page.css").read_text(encoding="utf-8")
    light, dark = (re.findall(r"--line\d:(#\w+)", part) for part in style.split(":root[data-theme=dark]"))
    assert tuple(light) == LINES_LIGHT
    assert tuple(dark) == LINES_DARK
