"""The pictures of README and site, made by the software itself from pictures that this script draws.

    python benchmarks/pictures.py

Plates with and without a crack are drawn, `small` learns to tell them apart, its pages are photographed in Chromium;
the curves are those of `docs/examples/reference-keras-elpv.csv`. Nothing of anybody's data is in them. Needs a browser
(`THALWEG_CHROMIUM` names one). Every picture stays below 200 kB.
"""

import argparse
import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

import thalweg
from browser import Browser, Tab

REPOSITORY = Path(__file__).resolve().parents[1]
LOG = REPOSITORY / "docs" / "examples" / "reference-keras-elpv.csv"
PLATES, SIDE, EPOCHS = 400, 96, 14
LARGEST = 200_000
SHOWN = """
(() => {{
    const captions = [...document.querySelectorAll("figcaption")];
    const found = ["Answer {text}.* occlusion agree", "Answer {text}"].map((wanted) =>
        captions.find((each) => new RegExp(wanted).test(each.textContent))).find(Boolean);
    found.scrollIntoView();
    const pictures = [...found.parentElement.querySelectorAll("img")];
    pictures.forEach((each) => {{ each.loading = "eager"; }});
    return Promise.all(pictures.map((each) => each.decode())).then(() => pictures.length);
}})()
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=REPOSITORY / "docs" / "pictures")
    parser.add_argument("--keep", type=Path, help="a folder for what is made on the way")
    said = parser.parse_args()
    program = os.environ.get("THALWEG_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no Chromium here: name one with THALWEG_CHROMIUM")
    said.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        pages = _pages(said.keep or Path(folder))
        with Browser(program) as tab:
            _photograph(tab, pages, said.out)
        diagnosis = pages["diagnosis"].read_text(encoding="utf-8")
    (said.out / "curves.svg").write_text(_drawing(diagnosis), encoding="utf-8")
    thalweg.draw("inception", out=said.out / "network.svg")
    for path in sorted(said.out.iterdir()):
        size = path.stat().st_size
        print(f"{path.name}: {size:,} bytes")
        if size > LARGEST:
            raise SystemExit(f"{path} has more than {LARGEST:,} bytes")


def _pages(folder: Path) -> Mapping[str, Path]:
    """Train on drawn plates, and write the pages."""
    draw_plates(folder / "plates", PLATES)
    run = folder / "run"
    if not (run / "report.html").is_file():  # kept from another time
        with contextlib.chdir(folder):  # pages name the source as it was named
            thalweg.train("plates", out="run", epochs=EPOCHS, image_size=64, seed=1)
        thalweg.explain(run, samples=6, html=folder / "explain.html")
    thalweg.diagnose(LOG, html=folder / "diagnosis.html")
    return {"report": run / "report.html", **{name: folder / f"{name}.html" for name in ("explain", "diagnosis")}}


def draw_plates(folder: Path, count: int) -> None:
    """Draw grey plates with two bars, every other one with a crack.

    Args:
        folder: Where `whole` and `cracked` are made.
        count: How many plates.
    """
    random = np.random.default_rng(5)
    for index in range(count):
        cracked = index % 2 == 1
        coarse = Image.fromarray((random.random((12, 12)) * 70 + 120).astype(np.uint8))
        grain = np.array(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC), float)
        plate = Image.fromarray((grain + random.normal(0, 9, (SIDE, SIDE))).clip(0, 255).astype(np.uint8))
        pen = ImageDraw.Draw(plate)
        for bar in (SIDE // 3, 2 * SIDE // 3):
            pen.rectangle((0, bar - 2, SIDE, bar + 1), fill=60)
        if cracked:
            start, direction = random.uniform(15, SIDE - 15, 2), random.uniform(0, 2 * np.pi)
            points = [tuple(start)]
            for _ in range(int(random.integers(4, 8))):
                direction += random.normal(0, 0.6)
                points.append(tuple(np.array(points[-1]) + 9 * np.array([np.cos(direction), np.sin(direction)])))
            pen.line(points, fill=40, width=2)
        place = folder / ("cracked" if cracked else "whole") / f"plate-{index:03d}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        plate.filter(ImageFilter.GaussianBlur(0.6)).save(place)


def _photograph(tab: Tab, pages: Mapping[str, Path], out: Path) -> None:
    for name, text, height in (("report", None, 640), ("explain", "cracked", 290)):
        address = pages[name].resolve().as_uri()
        tab("Page.navigate", url=address)
        while not tab.value(f"location.href === '{address}' && document.readyState === 'complete'"):
            time.sleep(0.2)
        if text is not None:
            tab.value(SHOWN.format(text=text))
        path = out / f"{name}.png"
        tab.picture(path, 1200, height)
        with Image.open(path) as shot:
            few = shot.convert("RGB").quantize(128, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def _drawing(page: str) -> str:
    """The first curves of a page as a file of their own."""
    start = page.index('<svg xmlns="http://www.w3.org/2000/svg" class="tw tw-curves"')
    depth = 0
    for tag in re.finditer(r"<(/?)svg\b", page[start:]):  # the plane of the curves is a drawing in the drawing
        depth += -1 if tag[1] else 1
        if depth == 0:
            break
    drawing = page[start : start + tag.start()] + "</svg>\n"
    return drawing.replace("</style>", '</style><rect width="100%" height="100%" fill="var(--tw-paper)"/>', 1)


if __name__ == "__main__":
    main()
