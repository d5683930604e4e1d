"""The main pages beside pictures of them that somebody has looked at and approved.

Five pages (a run's report, a lab, a diagnosis, a comparison, the live page) at three widths, in both themes and both
languages. What is compared depends on the pages and little on the machine: letters are DejaVu Sans, which matplotlib
brings along, without hinting; pictures are an eighth as wide as the page; and they are compared block by block (a
heading, a paragraph, a figure), each crop in its own place, so that a line more above does not move all that is below.

Approve anew, after looking: `pytest tests/browser/test_approved_looks.py --update-golden`. Whole pages to look at are
written where `THALWEG_LOOKS` names a folder.
"""

import base64
import io
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import pytest

from thalweg.core.codec import from_plain
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Report
from thalweg.rendering.pages.html import render_html

plots = pytest.importorskip("matplotlib", reason="the letters come from matplotlib (extra dev)")
Image = pytest.importorskip("PIL.Image")
BOX = Image.Resampling.BOX

APPROVED = pathlib.Path(__file__).resolve().parents[1] / "golden" / "looks"
WIDTHS = (320, 768, 1280)
PAGES = ("comparison", "lab", "diagnosis", "report")
SHRUNK = 8
TALLEST = 16_000
"""CSS pixels; what is below is the same kind of blocks again."""

WIDER, TALLER, TALLER_PIXELS = 3, 0.06, 14
"""CSS pixels that a block may begin elsewhere or be wider, and share and pixels that it may be taller: a line of text
may break elsewhere in another Chromium."""
MEAN, WORST, TINT = 0.2, 0.6, 0.6
"""Of what is drawn, how much may be drawn otherwise: on the mean by area, in one block, and of its tint: `repainted`.

Measured with Chromium 150 on `comparison` in Persian at 768 pixels (mean, worst block, its tint; -s prints them):
letters 1 % wider 0.02, 0.10, 0.14; letters drawn by other rules 0.07, 0.25, 0.24; words further apart 0.02, 0.18, 0.22.
Letters a seventh larger 0.60, 1.09, 1.04 and 13 blocks elsewhere; drawings blank 0.35, 1.02, 1.01; a header without its
background 1.9, 22, 1.2; drawings of other colours 0.21, 0.65, 1.96.
"""
FAINTEST, PALEST = 0.006, 0.002
"""Mean distance from the background, and mean tint, below which a block is as good as empty, or grey."""

BLOCKS = """
(() => {
  const found = [];
  const leaf = 'h1, h2, h3, p, ul, ol, dl, figure, details, table, pre, nav, header, svg, .fact, .plot';
  const inside = (e) => {
    const up = e.parentElement.closest(leaf);
    return up && !['HEADER', 'NAV', 'FIGURE'].includes(up.tagName);
  };
  for (const e of document.querySelectorAll(leaf)) {
    const r = e.getBoundingClientRect();
    if (r.width < 4 || r.height < 4 || !e.checkVisibility() || inside(e) || e.closest('.skip')) continue;
    const name = [e.tagName.toLowerCase(), ...e.classList].slice(0, 2).join('.');
    found.push([name, ...[r.x, r.y + scrollY, r.width, r.height].map(Math.round)]);
  }
  return {width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight, blocks: found};
})()
"""


def letters():
    """DejaVu Sans, DejaVu Sans Bold and DejaVu Sans Mono, for whatever a page asks for."""
    folder = pathlib.Path(plots.get_data_path()) / "fonts" / "ttf"
    faces = (
        ("Fixed", "400", "DejaVuSans"),
        ("Fixed", "700", "DejaVuSans-Bold"),
        ("Fixed Mono", "400", "DejaVuSansMono"),
    )
    made = []
    for family, weight, name in faces:
        text = base64.b64encode((folder / f"{name}.ttf").read_bytes()).decode()
        read = f"Uint8Array.from(atob({text!r}), c => c.charCodeAt(0))"
        made.append(f"new FontFace({family!r}, {read}, {{weight: {weight!r}}})")
    style = (
        "*, *::before, *::after {font-family: Fixed !important} code, pre, kbd {font-family: 'Fixed Mono' !important}"
    )
    return f"""
(async () => {{
  for (const face of [{", ".join(made)}]) document.fonts.add(await face.load());
  const sheet = new CSSStyleSheet();
  sheet.replaceSync({style!r} + ' *, *::before, *::after {{transition: none !important; animation: none !important}}');
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const pictures = [...document.images];
  for (const picture of pictures) picture.loading = 'eager';
  await Promise.all(pictures.map((picture) => picture.decode().catch(() => 0)));
  await document.fonts.ready;
}})()
"""


@pytest.fixture(scope="module")
def fonts():
    return letters()


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Where each page is; the live one is served from a folder of two runs."""
    folder = tmp_path_factory.mktemp("looks")
    found = {}
    for page in PAGES:
        report = from_plain(Report, json.loads((APPROVED / "pages" / f"{page}.json").read_text("utf-8")), page)
        for language in ("en", "fa"):
            path = folder / f"{page}-{language}.html"
            path.write_text(render_html(report, language=language), "utf-8")
            found[page, language] = path.as_uri()
    return found


def look(tab, width):
    """Where the blocks of the page are, and its picture."""
    tab.resize(width)
    tab.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    told = tab.run(BLOCKS)
    height = min(told["height"], TALLEST)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 2 / SHRUNK}
    taken = tab.ask(
        "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip, optimizeForSpeed=True
    )
    picture = Image.open(io.BytesIO(base64.b64decode(taken["data"]))).convert("RGB")
    return told, picture.resize((width // SHRUNK, max(1, round(height / SHRUNK))), BOX)


def misplaced(told, approved):
    """What is elsewhere, missing, or of another size, in words."""
    names, wanted = ([block[0] for block in each["blocks"]] for each in (told, approved))
    if names != wanted:
        at = next(
            (k for k, pair in enumerate(zip(names, wanted, strict=False)) if pair[0] != pair[1]),
            min(len(names), len(wanted)),
        )
        return [
            f"block {at} is {names[at : at + 3]}, approved {wanted[at : at + 3]} ({len(names)} blocks, {len(wanted)})"
        ]
    found = []
    if told["width"] > approved["width"]:
        found.append(f"the page is {told['width']} pixels wide, approved {approved['width']}")
    for (name, x, _, width, height), (_, x2, _, width2, height2) in zip(
        told["blocks"], approved["blocks"], strict=True
    ):
        if abs(x - x2) > WIDER or abs(width - width2) > WIDER:
            found.append(f"{name} is at {x}, {width} wide; approved {x2}, {width2}")
        if abs(height - height2) > max(TALLER_PIXELS, TALLER * height2):
            found.append(f"{name} is {height} high, approved {height2}")
    return found


def repainted(picture, told, approved_picture, approved):
    """How much of what is drawn is drawn otherwise: mean over all blocks by area, worst block, and the worst tint.

    Of each block: the mean difference of colours over the mean distance of its colours from its own background, so that
    a thin curve that is gone counts as much as a heading; taken where sliding it by two lines up or down makes it
    least, since a caption above may need another line elsewhere. 0 is the same, 1 is as far as an empty block. The tint
    is the same of colours without their grey: thin curves of other colours change little else.
    """
    areas, differences, tints = [], [], [0.0]
    for block, block2 in zip(told["blocks"], approved["blocks"], strict=True):
        one, two = cut(picture, block), cut(approved_picture, block2)
        if one is None or two is None:
            continue
        here, there = (np.asarray(each.resize(two.size, BOX), np.float64) / 255 for each in (one, two))
        drawn = np.abs(there - np.median(there.reshape(-1, 3), axis=0)).max(axis=2).mean()
        least = apart(here, there)
        areas.append(two.width * two.height)
        differences.append(least / max(drawn, FAINTEST))
        new, old = (tinted(each) for each in (here, there))
        coloured = np.abs(old).max(axis=2).mean()
        if coloured > PALEST:
            tints.append(apart(new, old) / coloured)
    return float(np.average(differences, weights=areas)), float(max(differences)), float(max(tints))


def apart(here, there):
    """The mean difference, at half the size, of two pictures that may have slid past one another by two lines."""
    slid = (np.roll(here, up, axis=0) for up in range(-2, 3))
    return min(np.abs(halved(each) - halved(there)).max(axis=2).mean() for each in slid)


def tinted(pixels):
    """Colours without their grey, from those of the background on."""
    tint = pixels - pixels.mean(axis=2, keepdims=True)
    return tint - np.median(tint.reshape(-1, 3), axis=0)


def halved(pixels):
    """The means of two by two pixels."""
    high, wide = (length // 2 * 2 for length in pixels.shape[:2])
    return pixels[:high, :wide].reshape(high // 2, 2, wide // 2, 2, 3).mean(axis=(1, 3))


def cut(picture, block):
    """A block's crop; None where it is too small to have a colour of its own, or below what was taken."""
    _, x, y, width, height = (each if isinstance(each, str) else each / SHRUNK for each in block)
    box = (
        max(0, round(x)),
        max(0, round(y)),
        min(picture.width, round(x + width)),
        min(picture.height, round(y + height)),
    )
    return picture.crop(box) if box[2] - box[0] >= 4 and box[3] - box[1] >= 4 else None


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("language", ["en", "fa"])
@pytest.mark.parametrize("page", PAGES)
def test_pages_look_as_approved(request, browser, addresses, fonts, page, language, dark):
    with browser.tab(dark=dark) as tab:
        tab.ask("Page.setBypassCSP", enabled=True)
        tab.open(addresses[page, language])
        tab.run(fonts)
        compare(request, tab, f"{page}-{language}-{'dark' if dark else 'light'}")


@pytest.fixture(scope="module", params=["en", "fa"])
def served(request, tmp_path_factory):
    """A language, and the live page in it over two runs whose numbers are the same each time."""
    pytest.importorskip("starlette", reason="the extra dashboard is not installed")
    root = tmp_path_factory.mktemp("live") / "runs"
    for name, rate, minutes in (("گربه‌ها", 1.0, 90), ("plain", 1.3, 5)):
        write_run(root / name, rate)
        changed = time.time() - 60 * minutes  # the page puts the newest first
        os.utime(root / name, (changed, changed))
    command = [sys.executable, "-m", "thalweg", "serve", str(root), "--port", "0", "--lang", request.param]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield request.param, server.stdout.readline().strip()
        server.terminate()


def write_run(folder, rate):
    """A finished run, as far as the live page reads it."""
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text(TrainingPlan(source="photos", epochs=12).to_toml(), encoding="utf-8")
    head = "epoch,train_loss,train_accuracy,val_loss,val_accuracy,learning_rate,seconds,images_per_second\n"
    rows = [f"{k},{rate / k},{1 - 0.5 / k},{1.1 * rate / k},{0.9 - 0.4 / k},0.001,{k},250\n" for k in range(1, 13)]
    (folder / "history.csv").write_text(head + "".join(rows), encoding="utf-8")
    names = ("step", "epoch", "objective", "loss", "gradient_norm", "learning_rate", "seconds")
    steps = [f"{k},{1 + (k - 1) // 8},{2 / k},{2 / k},1.5,0.001,{k / 10}\n" for k in range(1, 97)]
    (folder / "steps.csv").write_text(",".join(names) + "\n" + "".join(steps), encoding="utf-8")
    metrics = {"schema": 1, "accuracy": 0.87, "accuracy_interval": [0.8, 0.92], "split": "validation", "seconds": 12}
    (folder / "metrics.json").write_text(json.dumps({**metrics, "images_per_second": 250, "learning_rate": 0.001}))
    finding = {"code": "CUR001", "name": "too_few_epochs", "severity": "warning", "confidence": 1, "subject": "run"}
    (folder / "findings.json").write_text(json.dumps({"schema": 1, "findings": [{**finding, "claim": "Short"}]}))


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("view", ["live", "live-run"])
def test_the_live_page_looks_as_approved(request, browser, served, fonts, view, dark):
    language, address = served
    with browser.tab(dark=dark) as tab:
        tab.ask("Page.setBypassCSP", enabled=True)
        tab.open(address)
        until(tab, "document.querySelectorAll('.runs tbody tr').length === 2")
        if view == "live-run":
            tab.run("[...document.querySelectorAll('.name a')].find((a) => a.textContent === 'plain').click()")
            until(tab, "document.querySelectorAll('.plot svg').length >= 5")
        tab.run(fonts)
        tab.run("document.getElementById('folder').textContent = 'runs'")  # its path is another one each time
        compare(request, tab, f"{view}{'' if language == 'en' else '-fa'}-{'dark' if dark else 'light'}")


def until(tab, condition):
    """Wait for a page that draws itself."""
    tab.run(f"new Promise((done) => {{ const look = () => {condition} ? done() : setTimeout(look, 50); look(); }})")


def compare(request, tab, name):
    """Hold a page at all widths against what was approved, or approve it."""
    path, wrong, layouts = APPROVED / f"{name}.json", [], {}
    approves = request.config.getoption("--update-golden")
    if not approves and not path.is_file():
        pytest.skip(f"nobody has looked at {name} and approved it yet: pytest --update-golden tests/browser")
    approved = {} if approves else json.loads(path.read_text("utf-8"))
    for width in WIDTHS:
        told, picture = look(tab, width)
        layouts[str(width)] = told
        if os.environ.get("THALWEG_LOOKS"):
            folder = pathlib.Path(os.environ["THALWEG_LOOKS"])
            folder.mkdir(parents=True, exist_ok=True)
            (folder / f"{name}-{width}.png").write_bytes(tab.picture())
        file = APPROVED / f"{name}-{width}.webp"
        if not approved:
            picture.save(file, lossless=True, quality=100, method=6)
            continue
        moved = misplaced(told, approved[str(width)])
        wrong += [f"{width}: {each}" for each in moved[:5]]
        if not moved:
            mean, worst, tint = repainted(picture, told, Image.open(file).convert("RGB"), approved[str(width)])
            if mean > MEAN or worst > WORST or tint > TINT:
                told_so = f"{width}: {mean:.2f} is drawn otherwise (at most {MEAN})"
                wrong.append(f"{told_so}, of a block {worst:.2f} ({WORST}), of its tint {tint:.2f} ({TINT})")
    if not approved:
        path.write_text(json.dumps(layouts, separators=(",", ":")), "utf-8")
    assert not wrong, f"{name}: " + "; ".join(wrong)


WRONG = {
    "a section is missing": "document.querySelectorAll('section')[1].remove()",
    "it scrolls sideways": "document.querySelector('section p, section figure').style.width = '900px'",
    "right to left is lost": "document.documentElement.dir = 'ltr'",
    "colours of curves are others": (
        "document.querySelectorAll('figure svg').forEach((svg) => "
        "{ if (!svg.parentElement.closest('svg')) svg.style.filter = 'hue-rotate(180deg)'; })"
    ),
    "the other theme's colours": "document.documentElement.style.filter = 'invert(1)'",
    "letters are a seventh larger": "document.documentElement.style.fontSize = '114%'",
    "figures are blank": (
        "document.querySelectorAll('figure svg').forEach((svg) => { svg.style.visibility = 'hidden'; })"
    ),
    "the header lost its background": "document.querySelector('header').style.background = 'none'",
}
HARMLESS = {
    "nothing": "0",
    "letters a little wider": "document.body.style.letterSpacing = '0.01em'",
    "letters drawn otherwise": "document.body.style.textRendering = 'geometricPrecision'",
    "lines half a pixel apart": "document.body.style.wordSpacing = '0.4px'",
}


@pytest.mark.parametrize("what", [*WRONG, *HARMLESS])
def test_what_is_wrong_is_seen_and_what_is_not_is_let_pass(request, browser, addresses, fonts, what):
    if request.config.getoption("--update-golden") or not (APPROVED / "comparison-fa-light.json").is_file():
        pytest.skip("nobody has looked at the comparison and approved it yet, or is about to")
    approved = json.loads((APPROVED / "comparison-fa-light.json").read_text("utf-8"))["768"]
    with browser.tab() as tab:
        tab.ask("Page.setBypassCSP", enabled=True)
        tab.open(addresses["comparison", "fa"])
        tab.run(fonts)
        tab.run({**WRONG, **HARMLESS}[what] + "; 0")
        told, picture = look(tab, 768)
    moved = misplaced(told, approved)
    mean = worst = tint = 0.0
    if len(told["blocks"]) == len(approved["blocks"]):
        file = Image.open(APPROVED / "comparison-fa-light-768.webp").convert("RGB")
        mean, worst, tint = repainted(picture, told, file, approved)
    print(f"{what}: {len(moved)} misplaced, {mean:.2f}, {worst:.2f}, {tint:.2f}")  # noqa: T201 - shown with -s
    assert bool(moved or mean > MEAN or worst > WORST or tint > TINT) == (what in WRONG)
