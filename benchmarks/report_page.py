"""How large the report of a run on 3,000 photos is, and how long a browser takes to open it.

    python benchmarks/report_page.py --out benchmarks/results/report_page.json

3,000 photos of 64 x 64 pixels in ten classes are made, `plain` is trained on them for one epoch, and its report is
opened in Chromium several times, each time in a new tab, with as many pictures behind confusion cells as a report has.
Told are the size of the page in bytes, and the time from navigation to the load event, when everything is shown and the
script has run. To reach: below 5 MB, and below 1 s.
"""

import argparse
import importlib.util
import json
import os
import platform
import statistics
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

TIMES = (
    "performance.getEntriesByType('navigation').map(entry => [entry.domContentLoadedEventEnd, entry.loadEventEnd])[0]"
)
PHOTOS, CLASSES, SIDE, OPENINGS = 3000, 10, 64, 9


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path)
    parser.add_argument("--page", type=Path, help="open this page instead of training for one")
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        page = said.page or _trained(Path(folder))
        size = page.stat().st_size
        browser = _browser()
        try:
            loads = []
            for _ in range(OPENINGS):
                with browser.tab() as tab:
                    tab.open(page.resolve().as_uri())
                    loads.append(tab.run(TIMES)[1] / 1000)
            version = browser.ask("Browser.getVersion")["product"]
        finally:
            browser.close()
    record = {
        "benchmark": "report_page",
        "photos": PHOTOS,
        "bytes": size,
        "load_seconds": {"n": OPENINGS, "median": statistics.median(loads), "low": min(loads), "high": max(loads)},
        "hardware": {"machine": platform.machine(), "cores": os.cpu_count()},
        "browser": version,
    }
    print(json.dumps(record, indent=1))
    if said.out:
        said.out.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def _trained(folder: Path) -> Path:
    from PIL import Image

    import thalweg

    random = np.random.default_rng(7)
    for index in range(PHOTOS):
        name = folder / "photos" / f"class {index % CLASSES}" / f"photo {index:04d}.jpg"
        name.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.kron(random.integers(0, 200, (16, 16, 3)), np.ones((SIDE // 16, SIDE // 16, 1)))
        pixels[:, :, index % 3] += 5 * (index % CLASSES)
        Image.fromarray(pixels.astype(np.uint8)).save(name, quality=90)
    result = thalweg.train(folder / "photos", out=folder / "run", network="plain", epochs=1, image_size=SIDE, lr=0.001)
    return Path(result.report)


def _browser() -> Any:
    place = Path(__file__).parents[1] / "tests" / "browser" / "conftest.py"
    spec = importlib.util.spec_from_file_location("browser_driver", place)
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    return driver.Browser(driver.find_chromium())


if __name__ == "__main__":
    main()
