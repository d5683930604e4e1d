"""Pictures with flipped, cut, doubled and shuffled bytes: no crash, no hang, no error but `PictureError`, no change.

For every format that is read, mutants of a few sound pictures are decoded in a process of its own, which may not take
more than 1.5 GiB of memory; a signal, a time above 5 s a picture or any other exception breaks the promise. Nothing is
written; a folder of mutants is compared byte for byte before and after a check by `thalweg.check`.

    python benchmarks/reliability/mutated.py --out benchmarks/results/reliability/mutated.json
"""

import hashlib
import io
import json
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from children import begin, limit_memory, status_of
from outcome import Case, cache_in, report, worked_seconds

FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "QOI", "TIFF", "WEBP")
ENDINGS = {"JPEG": "jpg", "JPEG2000": "jp2", "TIFF": "tif"}
MEMORY_BYTES = 1536 << 20
SECONDS = 5.0


def seeds(kind: str) -> list[bytes]:
    """Sound pictures of a format, in its variants."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:40, 0:56]
    colours = np.stack([255 * x / 56, 255 * y / 40, 255 * (x + y) / 96], axis=2).astype(np.uint8)
    plain = Image.fromarray(colours)
    exif = Image.Exif()
    exif[0x0112] = 6
    variants: list[tuple[Image.Image, dict[str, object]]] = [(plain, {}), (plain.convert("L"), {})]
    more: dict[str, list[tuple[Image.Image, dict[str, object]]]] = {
        "JPEG": [(plain, {"progressive": True}), (plain, {"exif": exif}), (plain.convert("CMYK"), {})],
        "PNG": [
            (Image.fromarray((x * 1000).astype(np.uint16)), {}),
            (plain.convert("P"), {}),
            (plain.convert("RGBA"), {"exif": exif}),
        ],
        "GIF": [(plain, {"save_all": True, "append_images": [plain.rotate(90)]})],
        "TIFF": [
            (plain, {"compression": "tiff_lzw"}),
            (plain, {"compression": "tiff_deflate"}),
            (plain, {"exif": exif}),
        ],
        "WEBP": [(plain, {"lossless": True}), (plain.convert("RGBA"), {})],
    }
    found = []
    for image, options in (*variants, *more.get(kind, [])):
        out = io.BytesIO()
        saved = image.convert("RGB") if kind == "QOI" and image.mode == "L" else image
        saved.save(out, kind, **options)
        found.append(out.getvalue())
    return found


def mutants(kind: str, count: int) -> Iterator[bytes]:
    """Damaged copies: bytes set, bits flipped, pieces cut, doubled, zeroed, swapped, lengths made huge."""
    rng = random.Random(f"thalweg {kind}")
    sound = seeds(kind)
    for _ in range(count):
        data = bytearray(rng.choice(sound))
        for _ in range(rng.choice((1, 1, 2, 3, 8))):
            near = rng.random() < 0.6  # headers are where lengths and types stand
            place = rng.randrange(min(len(data), 200) if near else len(data))
            way = rng.randrange(7)
            if way == 0:
                data[place] = rng.randrange(256)
            elif way == 1:
                data[place] ^= 1 << rng.randrange(8)
            elif way == 2:
                del data[place : place + rng.randrange(1, 40)]
            elif way == 3:
                piece = data[place : place + rng.randrange(1, 60)]
                data[place:place] = piece
            elif way == 4:
                data[place : place + 4] = rng.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", bytes(4)))
            elif way == 5:
                data[place:] = data[place:][: rng.randrange(len(data) - place + 1)]
            else:
                other = rng.randrange(len(data))
                data[place], data[other] = data[other], data[place]
            if not data:
                data = bytearray(b"\x00")
        yield bytes(data)


def in_process(kind: str, count: int) -> Case:
    """Decode the mutants of a format in a process of its own."""
    reading, writing = os.pipe()

    def work() -> None:
        os.close(reading)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libtiff complains there
        limit_memory(MEMORY_BYTES)
        with os.fdopen(writing, "w") as out:
            json.dump(decoded(kind, count), out)

    child = begin(work)
    os.close(writing)
    with os.fdopen(reading) as told:
        text = told.read()
    status = status_of(child)
    found: Case = json.loads(text) if text else {}
    whole = status == 0 and found.get("tried") == count
    held = whole and not found["other_errors"] and found["slowest_seconds"] < SECONDS
    return {"format": kind, "exit_status": status, **found, "held": held}


def decoded(kind: str, count: int) -> dict[str, object]:
    """Decode mutants; count what came of them."""
    from thalweg.core.errors import PictureError
    from thalweg.data.decoding.decode import decode

    tried = used = refused = 0
    slowest, others = 0.0, []
    for data in mutants(kind, count):
        started = worked_seconds()
        tried += 1
        try:
            decode(data, size=(32, 32))
            used += 1
        except PictureError as error:
            refused += 1
            if "\n" in str(error) or not str(error):
                others.append(f"a reason that is no sentence: {str(error)[:200]!r}")
        except BaseException as error:  # noqa: BLE001 - any other error is what is looked for
            others.append(f"{type(error).__name__}: {error}"[:200])
        slowest = max(slowest, worked_seconds() - started)
    return {
        "tried": tried,
        "used": used,
        "refused": refused,
        "other_errors": others[:10],
        "slowest_seconds": round(slowest, 3),
    }


def untouched(count: int) -> bool:
    """Whether a check of a folder of mutants leaves every byte of it alone."""
    import thalweg

    with tempfile.TemporaryDirectory() as name, cache_in(Path(name, "cache")):
        for label in ("a", "b"):
            for kind in FORMATS:
                for number, data in enumerate([*seeds(kind)[:1], *mutants(kind, count)]):
                    path = Path(name, "photos", label, f"{kind}-{number}.{ENDINGS.get(kind, kind.lower())}")
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(data + label.encode())
        before = _state(Path(name, "photos"))
        thalweg.check(Path(name, "photos"))
        return _state(Path(name, "photos")) == before


def _state(folder: Path) -> list[tuple[str, str, int]]:
    return sorted(
        (str(path), hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    )


def work(quick: bool) -> dict[str, object]:
    """All formats."""
    from thalweg.data.decoding.decode import decode

    for kind in FORMATS:  # what Pillow loads when it first meets a format is loaded before any fork
        decode(seeds(kind)[0], size=(8, 8))
    count = 50 if quick else 2000
    details = [in_process(kind, count) for kind in FORMATS]
    same = untouched(1 if quick else 30)
    held = sum(case["held"] for case in details) if same else 0
    return {
        "row": 12,
        "cases": len(details),
        "held": held,
        "mutants_a_format": count,
        "untouched": same,
        "details": details,
    }


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
