"""One upright 8-bit picture in training, prediction and report: eight orientations of four formats, odd pixel kinds.

For each file the pixels that training reads from the cache, the pixels that prediction decodes, and the thumbnail of
the report are compared with the upright original. Deep grey, print colours, palettes, transparency, animations and
files of several pages must give one sample a file; 16-bit grey must keep its mean within 2 of 255.

    python benchmarks/reliability/pictures.py --out benchmarks/results/reliability/pictures.json
"""

import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from outcome import Case, cache_in, report
from PIL import Image

SIDE = 48
KINDS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "TIFF": "tif"}
TURNS = {
    1: (),
    2: (Image.Transpose.FLIP_LEFT_RIGHT,),
    3: (Image.Transpose.ROTATE_180,),
    4: (Image.Transpose.FLIP_TOP_BOTTOM,),
    5: (Image.Transpose.TRANSPOSE,),
    6: (Image.Transpose.ROTATE_90,),
    7: (Image.Transpose.TRANSVERSE,),
    8: (Image.Transpose.ROTATE_270,),
}
"""What a camera with that orientation does to an upright picture before it stores it."""


def original(seed: int) -> Image.Image:
    """Smooth, colourful, without any symmetry, and another one for every seed."""
    y, x = np.mgrid[0:64, 0:96]
    waves = np.random.default_rng(seed).uniform(0.01, 0.05, 3)
    channels = [127 + 120 * np.sin(wave * (x + (2 + index) * y) + index) for index, wave in enumerate(waves)]
    pixels = np.stack(channels, axis=2)
    pixels[: 20 + seed % 7, : 30 + seed % 11] = (250, 20, 20)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def turned() -> Iterator[tuple[str, str, bytes, Image.Image, float]]:
    """Orientation cases: name, ending, bytes, the upright picture, the difference allowed."""
    for number, (kind, ending) in enumerate(KINDS.items()):
        for orientation, steps in TURNS.items():
            upright = original(8 * number + orientation)
            stored = upright
            for step in steps:
                stored = stored.transpose(step)
            exif = Image.Exif()
            exif[0x0112] = orientation
            out = io.BytesIO()
            options: dict[str, object] = {"JPEG": {"quality": 97}, "WEBP": {"lossless": True}}.get(kind, {})
            stored.save(out, kind, exif=exif, **options)
            yield f"{kind} orientation {orientation}", ending, out.getvalue(), upright, 4.0 if kind == "JPEG" else 1.0


def odd() -> Iterator[tuple[str, str, bytes, Image.Image, float]]:
    """Odd kinds of pixels."""
    ramp = np.linspace(0, 65535, 64 * 96).reshape(64, 96).astype(np.uint16)
    grey = Image.fromarray((ramp / 257).round().astype(np.uint8)).convert("RGB")
    photo = original(99)
    alpha = photo.convert("RGBA")
    alpha.putalpha(Image.fromarray(np.where(np.arange(96) < 48, 255, 0).astype(np.uint8)[None].repeat(64, 0)))
    on_white = Image.new("RGB", photo.size, "white")
    on_white.paste(alpha, mask=alpha.getchannel("A"))
    other = [original(98), original(97)]
    cases: list[tuple[str, str, Image.Image, dict[str, object], Image.Image, float]] = [
        ("16-bit grey PNG", "png", Image.fromarray(ramp), {}, grey, 2.0),
        ("16-bit grey TIFF", "tif", Image.fromarray(ramp), {}, grey, 2.0),
        ("CMYK JPEG", "jpg", photo.convert("CMYK"), {"quality": 97}, photo, 12.0),
        ("CMYK TIFF", "tif", photo.convert("CMYK"), {}, photo, 12.0),
        ("palette PNG", "png", photo.quantize(256), {}, photo, 12.0),
        ("RGBA PNG", "png", alpha, {}, on_white, 1.5),
        ("RGBA WebP", "webp", alpha, {"lossless": True}, on_white, 1.5),
        ("animated WebP", "webp", photo, {"save_all": True, "append_images": other, "lossless": True}, photo, 1.5),
        ("animated PNG", "png", photo, {"save_all": True, "append_images": other}, photo, 1.5),
        ("animated GIF", "gif", photo, {"save_all": True, "append_images": other}, photo, 25.0),
        ("TIFF of three pages", "tif", photo, {"save_all": True, "append_images": other}, photo, 1.5),
        ("1-bit PNG", "png", photo.convert("1"), {}, photo.convert("1").convert("RGB"), 2.0),
    ]
    for name, ending, image, options, wanted, allowed in cases:
        out = io.BytesIO()
        kind = {"jpg": "JPEG", "tif": "TIFF"}.get(ending, ending.upper())
        image.save(out, kind, **options)
        yield name, ending, out.getvalue(), wanted, allowed


def work(quick: bool) -> dict[str, object]:
    """Write all files into two classes, read them in the three ways."""
    del quick
    from thalweg.data.decoding.decode import decode
    from thalweg.workbench.loading.loading import load_scan, look
    from thalweg.workbench.loading.pictures import thumbnails
    from thalweg.workbench.telling.telling import silent

    cases = [*turned(), *odd()]
    details: list[Case] = []
    with tempfile.TemporaryDirectory() as place, cache_in(Path(place, "cache")):
        photos, files = Path(place, "photos"), {}
        for number, (name, ending, data, _, _) in enumerate(cases):
            path = photos / "ab"[number % 2] / f"{number:03d}.{ending}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            files[name] = path
        loaded = load_scan(look(str(photos), silent()).scan, image_size=SIDE, listener=silent())
        position = {Path(each).name: index for index, each in enumerate(loaded.files)}
        for name, _, _, wanted_picture, allowed in cases:
            path = files[name]
            wanted = np.asarray(wanted_picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR), dtype=float)
            samples = sum(each == path.name for each in (Path(file).name for file in loaded.files))
            row = int(loaded.rows[position[path.name]]) if samples else 0
            trained = loaded.pictures.pixels[row].astype(float)
            predicted = decode(path, size=(SIDE, SIDE)).pixels.astype(float)
            (thumbnail,) = thumbnails(loaded.pictures.pixels, [row], [""], [path.name])
            shown_picture = Image.open(io.BytesIO(thumbnail.data)).convert("RGB").resize((SIDE, SIDE))
            shown = np.asarray(shown_picture, dtype=float)
            apart = [round(float(np.abs(each - wanted).mean()), 2) for each in (trained, predicted, shown)]
            means = [round(abs(float(each.mean() - wanted.mean())), 2) for each in (trained, predicted)]
            equal = bool((np.broadcast_to(trained, predicted.shape) == predicted).all())
            held = samples == 1 and equal and max(apart[:2]) <= allowed and apart[2] <= allowed + 8
            held = held and ("16-bit" not in name or max(means) <= 2)
            details.append({"file": name, "samples": samples, "difference": apart, "mean_off": means, "held": held})
    upright = sum(case["held"] for case in details[:32])
    held = sum(case["held"] for case in details)
    return {"row": "13 and 14", "cases": len(details), "held": held, "upright": upright, "details": details}


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
