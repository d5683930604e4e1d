"""Hostile pictures among good ones: no crash, no hang, nothing used silently; bombs refused in time and memory.

The 116 files of ../shared/data/hostile-images are copied among good pictures of two classes, checked twice with a cache
of its own each time, and trained on. What `manifest.json` expects is compared with what was used, left out or warned
about. Bombs are decoded in a process of their own, whose time and peak memory are measured.

    python benchmarks/reliability/hostile.py --out benchmarks/results/reliability/hostile.json
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from outcome import Case, cache_in, make_photos, report

HOSTILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "hostile-images"
BOMB = """
import resource, sys, time
from pathlib import Path
from thalweg.core.errors import PictureError
from thalweg.data.decoding.decode import decode
from PIL import Image
Image.init()
before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
try:
    decode(Path(sys.argv[1]))
    print("used")
except PictureError as error:
    print(time.perf_counter() - started, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, error)
"""


def work(quick: bool) -> dict[str, object]:
    """Mix, check twice, train, and compare."""
    import thalweg

    manifest = json.loads((HOSTILE / "manifest.json").read_text(encoding="utf-8"))
    details: list[Case] = []
    with tempfile.TemporaryDirectory() as name:
        photos = make_photos(Path(name, "photos"), count=24)
        for number, case in enumerate(manifest):
            shutil.copy(HOSTILE / "files" / case["file"], photos / ("plain", "red")[number % 2] / case["file"])
        before = _digests(photos)
        verdicts, seconds = [], []
        for turn in ("one",) if quick else ("one", "two"):
            with cache_in(Path(name, turn)):
                started = time.perf_counter()
                checked = thalweg.check(photos)
                seconds.append(round(time.perf_counter() - started, 1))
            left = {Path(each.file).name: each.reason for each in checked.left_out}
            warned = {Path(each.file).name: each.reason for each in checked.warnings}
            verdicts.append((left, warned))
        with cache_in(Path(name, turn)):
            trained = thalweg.train(photos, epochs=1, image_size=32, batch_size=16, lr=0.01, out=Path(name, "run"))
        left_in_training = {Path(each.file).name for each in trained.left_out}
        unchanged = _digests(photos) == before
    left, warned = verdicts[0]
    for case in manifest:
        file, expect = case["file"], case["expect"]
        held = {
            "decode": file not in left,
            "reject": len(left.get(file, "")) > 10,
            "bomb": "limit" in left.get(file, ""),
            "never-silent": file in left or file in warned,
            "either": True,
        }[expect]
        same = all((file in one) == (file in left) for one, _ in verdicts) and (file in left_in_training) == (
            file in left
        )
        found: Case = {
            "file": file,
            "expect": expect,
            "reason": left.get(file, warned.get(file, "")),
            "held": held and same,
        }
        if expect == "bomb":
            found |= _bomb(HOSTILE / "files" / file)
            found["held"] = bool(found["held"]) and found["bomb_seconds"] < 1 and found["bomb_mib"] < 200e6 / 2**20
        details.append(found)
    return {
        "row": 11,
        "cases": len(details),
        "held": sum(bool(case["held"]) for case in details) if unchanged else 0,
        "folder_unchanged": unchanged,
        "left_out": len(left),
        "check_seconds": seconds,
        "expected": dict(Counter(case["expect"] for case in manifest)),
        "details": details,
    }


def _digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


def _bomb(path: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-c", BOMB, str(path)], capture_output=True, text=True, check=True, timeout=60
    )
    seconds, mib = (float(word) for word in done.stdout.split()[:2])
    return {"bomb_seconds": round(seconds, 3), "bomb_mib": round(mib, 1)}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
