"""Odd names and odd folders: trained and shown right, or one clear sentence, within ten seconds each.

Names: classes and files called in Persian, with right-to-left marks, spaces, emoji, a newline, bytes that are not
UTF-8, 255 bytes, `<script>`: the run's report must hold no element that comes from a name, and the terminal no control
character; runs called so are looked at on the live page in Chromium, where there is one. Shapes: an empty class, one
class, one picture, twins by case, a loop of links, a dangling link, a pipe, a folder that may not be read, a file that
vanishes, and others. What may not be read is tried without a superuser's right to read everything, which util-linux's
setpriv takes away.

    python benchmarks/reliability/folders.py --out benchmarks/results/reliability/folders.json
"""

import contextlib
import html.parser
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outcome import Case, cache_in, make_photos, report, worked_seconds

SECONDS = 10.0
NAMES: dict[str, bytes] = {
    "Persian": "گربه‌ها".encode(),
    "right-to-left marks": "exe.\u202egnp\u200f".encode(),
    "spaces": b"  two  words ",
    "emoji": "👩\u200d💻🐈".encode(),
    "newline": b"one\ntwo",
    "not UTF-8": b"caf\xe9\xff",
    "255 bytes": b"x" * 251,
    "script": b"<script>alert(1)</script>".replace(b"/", b":"),
    "image with a handler": b"<img src=x onerror=alert(1)>",
    "quotes": b"\"'`${7*7}{{7*7}}%s&amp;",
    "terminal escape": b"\x1b[31mred\x1b]0;title\x07",
    "dash and dot": b"-rf .hidden",
}
TRAIN = ("--epochs", "1", "--image-size", "32", "--batch-size", "16", "--lr", "0.01", "--network", "small")


class Elements(html.parser.HTMLParser):
    """Counts the elements and attributes of a page by which a name could act, and gathers its text."""

    def __init__(self) -> None:
        super().__init__()
        self.acting: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what acts."""
        self.acting += [f"<{tag}>"] if tag in {"script", "iframe", "object", "embed", "base", "form", "meta"} else []
        self.acting += [f"{tag} {name}" for name, _ in attrs if name.startswith("on")]
        self.acting += [f"{tag} {name}" for name, value in attrs if (value or "").lower().startswith("javascript:")]

    def handle_data(self, data: str) -> None:
        """Gather text."""
        self.text.append(data)


def command(*words: str) -> tuple[int, str, str]:
    """The command line; exit status, standard output, standard error."""
    from thalweg.cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main(words)
            status = 0
        except SystemExit as done:
            status = int(done.code or 0)
    said, told = (each.buffer.getvalue().decode() for each in (out, err))  # type: ignore[attr-defined]
    return status, said, told


def page(run: Path) -> Elements:
    """The report, looked through."""
    found = Elements()
    found.feed((run / "report.html").read_text(encoding="utf-8"))
    return found


def named(folder: Path, name: bytes) -> Path:
    """Photos whose second class and one of whose files have a name."""
    photos = make_photos(folder, count=10)
    called = os.fsdecode(name)
    (photos / "red" / "000.png").rename(photos / "red" / f"{called}.png")
    (photos / "red").rename(photos / called)
    return photos


def try_name(what: str, name: bytes, plain: list[str]) -> Case:
    """Train on photos with that name; look at the terminal and the report."""
    from thalweg.core.files import printable

    with tempfile.TemporaryDirectory() as place:
        photos, run = named(Path(place, "photos"), name), Path(place, "run")
        started = worked_seconds()
        status, said, told = command("train", str(photos), "--out", str(run), *TRAIN)
        seconds = worked_seconds() - started
        seen = page(run) if status in {0, 1} and (run / "report.html").is_file() else Elements()
        predicted = command("predict", str(run), str(photos), "--json")[0] if seen.text else 2
    text = "".join(seen.text)
    shown = printable(os.fsdecode(name))
    control = {unicodedata.category(each) for each in said + told if each != "\n"} & {"Cc", "Cs"}
    visible = shown.strip() in text or shown[:40] in text or shown.strip()[:20] in text
    held = status in {0, 1} and seen.acting == plain and not control and visible and predicted in {0, 1}
    return {
        "name": what, "status": status, "acting": seen.acting[:5], "control_characters": sorted(control),
        "visible": visible, "seconds": round(seconds, 1), "held": held,
    }  # fmt: skip


def try_live_page(names: dict[str, bytes], run: Path) -> list[Case]:
    """Runs whose folders have those names, in the table of the live page and each opened."""
    from thalweg.core.files import printable

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    from browser import Browser, find_chromium

    chromium = find_chromium()
    if chromium is None:
        return []

    acting = "document.querySelectorAll('script, img, iframe, form, object, base, [onerror], [onload]').length"
    with tempfile.TemporaryDirectory() as place:
        for name in names.values():
            shutil.copytree(run, Path(place, os.fsdecode(name)))
        serve = [sys.executable, "-m", "thalweg", "serve", place, "--port", "0"]
        with subprocess.Popen(serve, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None  # noqa: S101 - a pipe
            try:
                with Browser(chromium) as tab:
                    tab("Page.navigate", url=server.stdout.readline().strip())
                    until(tab, f"document.querySelectorAll('.runs tbody tr').length === {len(names)}")
                    links = "[...document.querySelectorAll('.name a')].map((a) => [a.textContent, a.hash])"
                    rows = dict(tab.value(links))
                    count = tab.value(acting)
                    details = []
                    for what, name in names.items():
                        shown = printable(os.fsdecode(name))
                        place_of = rows.get(shown, "#/")
                        tab.value(f"location.hash = {place_of!r}")
                        opened = until(tab, f"document.querySelector('h1').textContent === {json.dumps(shown)}")
                        opened = opened and until(tab, "document.querySelectorAll('.plot svg').length > 0")
                        complaints = tab.complaints()
                        held = opened and shown in rows and tab.value(acting) == count and not complaints
                        details.append({"live page": what, "shown": shown[:60], "complaints": complaints, "held": held})
            finally:
                server.terminate()
    return details


def until(tab: Any, wanted: str) -> bool:
    """Wait until something is true on the page, for ten seconds."""
    for _ in range(100):
        with contextlib.suppress(RuntimeError):  # the page is changing just now
            if tab.value(wanted) is True:
                return True
        time.sleep(0.1)
    return False


def unprivileged(*words: str) -> tuple[int, str, str]:
    """The command line in a process that may read only what its modes allow, even where we are the superuser."""
    drop = ("setpriv", "--bounding-set=-dac_override,-dac_read_search", "--")
    done = subprocess.run(
        [*(drop if os.geteuid() == 0 else ()), sys.executable, "-m", "thalweg", *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def shapes() -> dict[str, Callable[[Path], None]]:
    """Ways to spoil a folder of two classes of ten photos."""

    def unreadable(photos: Path) -> None:
        (photos / "red" / "003.png").chmod(0)

    def case_twins(photos: Path) -> None:
        shutil.copytree(photos / "red", photos / "RED")

    def one_class(photos: Path) -> None:
        shutil.rmtree(photos / "red")

    def one_picture(photos: Path) -> None:
        for path in sorted((photos / "red").iterdir())[1:]:
            path.unlink()

    def only_one(photos: Path) -> None:
        for path in sorted(photos.rglob("*.png"))[1:]:
            path.unlink()

    def deep(photos: Path) -> None:
        place = photos / "red"
        for _ in range(200):
            place /= "d"
        with contextlib.suppress(OSError):
            place.mkdir(parents=True)

    return {
        "empty class": lambda photos: (photos / "blue").mkdir(),
        "one class": one_class,
        "one picture in a class": one_picture,
        "one picture in all": only_one,
        "nothing": lambda photos: [shutil.rmtree(each) for each in photos.iterdir()] and None,
        "twins by case": case_twins,
        "loop of links": lambda photos: (photos / "red" / "loop").symlink_to(photos),
        "link to itself": lambda photos: (photos / "red" / "self.png").symlink_to(photos / "red" / "self.png"),
        "dangling link": lambda photos: (photos / "red" / "gone.png").symlink_to(photos / "nothing.png"),
        "link to a device": lambda photos: (photos / "red" / "zero.png").symlink_to("/dev/zero"),
        "pipe": lambda photos: os.mkfifo(photos / "red" / "pipe.png"),
        "unreadable file": unreadable,
        "unreadable folder": lambda photos: (photos / "red").chmod(0),
        "deep folders": deep,
        "folder called a.png": lambda photos: (photos / "red" / "a.png").mkdir(),
        "vanishing file": lambda _: None,
    }


def try_shape(what: str, spoil: Callable[[Path], None]) -> Case:
    """Train on a spoilt folder."""
    from thalweg.workbench.loading import loading

    with tempfile.TemporaryDirectory() as place:
        photos, run = make_photos(Path(place, "photos"), count=10), Path(place, "run")
        spoil(photos)
        kept = loading.load_pictures

        def vanishing(*words: object, **options: object) -> object:
            (photos / "red" / "002.png").unlink(missing_ok=True)
            return kept(*words, **options)  # type: ignore[arg-type]

        if what == "vanishing file":
            loading.load_pictures = vanishing  # type: ignore[assignment]
        started = worked_seconds()
        try:
            run_it = unprivileged if what.startswith("unreadable") else command
            status, _, told = run_it("train", str(photos), "--out", str(run), *TRAIN)
        finally:
            loading.load_pictures = kept
        seconds = worked_seconds() - started
        (photos / "red").chmod(0o755) if (photos / "red").exists() else None
        told = told.replace(place, "")
    lines = [line for line in told.splitlines() if line.startswith("thalweg:")]
    clear = status in {0, 1} or (status == 2 and len(lines) == 1 and len(lines[0]) > 30)
    held = clear and seconds < SECONDS and "fault in thalweg" not in told
    return {"shape": what, "status": status, "said": "".join(lines)[:200], "seconds": round(seconds, 1), "held": held}


def work(quick: bool) -> dict[str, object]:
    """Names, then shapes."""
    with tempfile.TemporaryDirectory() as cache, cache_in(cache):
        with tempfile.TemporaryDirectory() as place:
            run = Path(place, "run")
            command("train", str(make_photos(Path(place, "photos"), count=10)), "--out", str(run), *TRAIN)
            plain = page(run).acting
            live = [] if quick else try_live_page(NAMES, run)
        some = {"not UTF-8", "script"} if quick else set(NAMES)
        details = [try_name(what, name, plain) for what, name in NAMES.items() if what in some]
        chosen = {"one class", "vanishing file"} if quick else set(shapes())
        details += [try_shape(what, spoil) for what, spoil in shapes().items() if what in chosen]
    details += live
    held = sum(case["held"] for case in details)
    return {"row": "15 and 16", "on_live_page": len(live), "cases": len(details), "held": held, "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
