"""Class folders of recordings, tables, arrays, scans or clips become samples on disk, all of one size.

Recordings are cut into windows; the windows of one file are a group, so that they stay on one side of the split.
Everything else is one sample a file: signals of different lengths are cut or filled to the usual length, volumes of
different sizes are resized to the usual size, and both is said.
"""

import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from thalweg.core.dataset import Form, Notice, Sample, Wanted
from thalweg.core.errors import PictureError, SourceError
from thalweg.core.files import printable
from thalweg.data.arrays.fitting import cut_or_fill, pick_frames, resize
from thalweg.data.decoding.sizes import typical_side
from thalweg.data.files.kinds import FileKind
from thalweg.data.formats.sample_files import CLIP_SIDE, read_sample
from thalweg.data.formats.wav import WavHeader, read_wav, resampled, wav_header, window_starts
from thalweg.data.measured.measuring import reading_note
from thalweg.data.measured.store import Index, ValuesFile

__all__ = ["FILES_VERSION", "files_key", "write_files"]

FILES_VERSION = 1
"""Changes whenever the same files give other samples, so that older ones are not found."""
_WINDOW_SECONDS = 1.0

Progress = Callable[[int, int], None] | None


def files_key(kind: FileKind, root: Path, samples: Sequence[Sample], wanted: Wanted) -> str:
    """Name the samples that files give: by path, size and time of change, and how they shall be read.

    Args:
        kind: What the files are.
        root: The source's folder.
        samples: The files.
        wanted: How to read them.

    Returns:
        A digest.
    """
    key = hashlib.sha256(f"files {FILES_VERSION} {kind} {wanted}\n".encode())
    key.update(os.fsencode(os.path.abspath(root)))  # noqa: PTH100 - resolve() would follow links
    for sample in samples:
        try:
            state = (root / sample.file).stat()
            described = f"{state.st_size} {state.st_mtime_ns} {state.st_ino}"
        except (OSError, ValueError):
            described = "gone"
        key.update(os.fsencode(sample.file) + f"\0{sample.label} {sample.part} {described}\n".encode())
    return key.hexdigest()


def write_files(
    kind: FileKind,
    root: Path,
    samples: Sequence[Sample],
    folder: Path,
    wanted: Wanted,
    *,
    classes: Sequence[str] = (),
    progress: Progress = None,
) -> None:
    """Write the samples of files.

    Args:
        kind: What the files are.
        root: The source's folder.
        samples: The files; the frames, for clips.
        folder: Where to; made here.
        wanted: How to read them.
        classes: Class names in index order.
        progress: Called with the number of files done and of all.

    Raises:
        SourceError: No file is usable.
        MissingExtraError: NIfTI scans need the extra `nifti`.
    """
    work = _Recordings if kind == "wav" else _Whole
    work(kind, root, samples, wanted, progress or (lambda _done, _all: None)).write(folder, tuple(classes))


class _Work:
    """What both ways share: the files and what was left out."""

    def __init__(
        self,
        kind: FileKind,
        root: Path,
        samples: Sequence[Sample],
        wanted: Wanted,
        progress: Callable[[int, int], None],
    ) -> None:
        self.kind, self.root, self.samples, self.wanted, self.progress = kind, root, samples, wanted, progress
        self.left_out: list[Notice] = []
        self.warnings: list[Notice] = []

    def refuse(self, total: int) -> SourceError:
        """Nothing was usable."""
        first = self.left_out[0]
        return SourceError(
            f"{printable(self.root)}: none of {total:,} files is usable, first {printable(first.file)}: {first.reason}"
        )


class _Recordings(_Work):
    """Recordings, windowed."""

    def write(self, folder: Path, classes: tuple[str, ...]) -> None:
        headers = self._headers()
        if not headers:
            raise self.refuse(len(self.samples))
        rate = self.wanted.rate_hz or _usual([header.rate_hz for _, header in headers])
        channels = self.wanted.channels or (_usual([header.channels for _, header in headers]))
        window, said = self._window([header for _, header in headers], rate)
        windows: list[tuple[str, Sample, int, int]] = []  # name, file, its number, first step
        short = 0
        with ValuesFile(folder, np.float32) as file:
            for number, (sample, header) in enumerate(headers):
                try:
                    wave, _ = read_wav(self.root / sample.file)
                except PictureError as error:
                    self.left_out.append(Notice(sample.file, str(error)))
                    continue
                wave = resampled(wave, header.rate_hz, rate)
                if wave.shape[1] != channels:
                    wave = np.repeat(wave.mean(axis=1, keepdims=True), channels, axis=1)
                if len(wave) < window:
                    short += 1
                    wave = np.concatenate([wave, np.zeros((window - len(wave), channels), np.float32)])
                windows += [
                    (f"{sample.file}@{start / rate:.3f}s", sample, number, file.rows + start)
                    for start in window_starts(len(wave), window)
                ]
                file.add(wave)
                self.progress(number + 1, len(headers))
            if not windows:
                raise self.refuse(len(self.samples))
            self._warn(headers, rate, channels, short, window)
            note = reading_note("signal", len(windows), (window, channels), "", rate)
            parts = tuple(sample.part for _, sample, _, _ in windows)
            file.finish(
                Index(
                    form="signal",
                    kind=self.kind,
                    dtype=file.dtype.name,
                    shape=(file.rows, channels),
                    names=tuple(name for name, *_ in windows),
                    labels=tuple(sample.label for _, sample, _, _ in windows),
                    classes=classes,
                    parts=parts if any(parts) else (),
                    groups=tuple(number for _, _, number, _ in windows),
                    grouped_by="recording",
                    note=f"{note}: windows of {len(headers):,} recordings, each overlapping the next by half ({said}); "
                    f"the windows of one recording stay on one side of the split",
                    window=window,
                    starts=tuple(start for *_, start in windows),
                    rate_hz=float(rate),
                    left_out=tuple(self.left_out),
                    warnings=tuple(self.warnings),
                )
            )

    def _warn(
        self, headers: Sequence[tuple[Sample, WavHeader]], rate: float, channels: int, short: int, window: int
    ) -> None:
        """Say what was made alike."""
        other = sum(header.rate_hz != rate for _, header in headers)
        mixed = sum(header.channels != channels for _, header in headers)
        for count, what in (
            (short, f"shorter than a window of {window / rate:g} s: filled with silence"),
            (other, f"of another rate than {rate:g} Hz: brought to it"),
            (mixed, f"of another number of channels than {channels}: mixed to one"),
        ):
            if count:
                self.warnings.append(Notice("", f"{count:,} of {len(headers):,} recordings are {what}"))

    def _headers(self) -> list[tuple[Sample, WavHeader]]:
        found = []
        for sample in self.samples:
            try:
                header = wav_header(self.root / sample.file)
            except PictureError as error:
                self.left_out.append(Notice(sample.file, str(error)))
                continue
            if header.cut_short:
                self.warnings.append(Notice(sample.file, "is shorter than its header says: what is there is used"))
            found.append((sample, header))
        return found

    def _window(self, headers: Sequence[WavHeader], rate: float) -> tuple[int, str]:
        if self.wanted.extents:
            return self.wanted.extents[0], "as in training"
        if self.wanted.window:
            return max(8, round(self.wanted.window * rate)), "--window"
        usual = float(np.median([header.steps / header.rate_hz for header in headers]))
        if usual < _WINDOW_SECONDS:
            return max(8, round(usual * rate)), "as long as the usual recording; --window changes that"
        return round(_WINDOW_SECONDS * rate), "--window changes that"


class _Whole(_Work):
    """One sample a file, or a folder of frames."""

    def write(self, folder: Path, classes: tuple[str, ...]) -> None:
        units = self._clips() if self.kind == "clip" else [(sample, ()) for sample in self.samples]
        side = CLIP_SIDE
        if self.kind == "clip":
            side = min(side, typical_side(self.root, [sample.file for sample in self.samples]))
        kind = np.dtype(np.uint8 if self.kind == "clip" else np.float32)
        with tempfile.TemporaryFile(dir=folder.parent) as scratch:
            places: list[tuple[Sample, int, tuple[int, ...]]] = []
            for number, (sample, frames) in enumerate(units, 1):
                try:
                    values = read_sample(
                        self.kind, self.root, sample.file, frames=frames, side=side, form=self.wanted.form
                    )
                except PictureError as error:
                    self.left_out.append(Notice(sample.file, str(error)))
                else:
                    places.append((sample, scratch.tell(), values.shape))
                    scratch.write(np.ascontiguousarray(values, kind).data)
                self.progress(number, len(units))
            if not places:
                raise self.refuse(len(units))
            scratch.flush()
            self._store(np.memmap(scratch, kind, mode="r"), places, folder, classes)

    def _clips(self) -> list[tuple[Sample, tuple[str, ...]]]:
        clips: dict[str, list[Sample]] = {}
        for sample in self.samples:
            clips.setdefault(sample.file.rpartition("/")[0], []).append(sample)
        return [
            (
                Sample(name, frames[0].label, frames[0].part),
                tuple(frame.file for frame in sorted(frames, key=_numbered)),
            )
            for name, frames in clips.items()
        ]

    def _store(
        self,
        raw: npt.NDArray[Any],
        places: Sequence[tuple[Sample, int, tuple[int, ...]]],
        folder: Path,
        classes: tuple[str, ...],
    ) -> None:
        axes = _usual([len(shape) for _, _, shape in places])
        channels = self.wanted.channels or _usual([shape[-1] for _, _, shape in places if len(shape) == axes])
        fitting = []
        for sample, offset, shape in places:
            if len(shape) == axes and shape[-1] == channels:
                fitting.append((sample, offset, shape))
            else:
                size = "x".join(map(str, shape))
                reason = f"of {size} (channels last) is unlike the others ({channels} channels)"
                self.left_out.append(Notice(sample.file, reason))
        if not fitting:
            raise self.refuse(len(places))
        target = self.wanted.extents or tuple(
            int(np.median([shape[axis] for _, _, shape in fitting])) for axis in range(axes - 1)
        )
        form: Form = "signal" if axes == 2 else "volume"  # noqa: PLR2004 - steps and channels
        changed = sum(shape[:-1] != target for _, _, shape in fitting)
        if changed:
            how = "cut or filled" if form == "signal" else "resized"
            size = "x".join(map(str, target))
            odd = f"{changed:,} of {len(fitting):,} {form}s are of another size than {size}: {how} to it"
            self.warnings.append(Notice("", odd))
        samples = [sample for sample, _, _ in fitting]
        parts = tuple(sample.part for sample in samples)
        with ValuesFile(folder, raw.dtype) as file:
            for _, offset, shape in fitting:
                first = offset // raw.dtype.itemsize
                values = raw[first : first + int(np.prod(shape))].reshape(shape)
                file.add(_fitted(values, target, clip=self.kind == "clip")[None])
            file.finish(
                Index(
                    form=form,
                    kind=self.kind,
                    dtype=file.dtype.name,
                    shape=(len(samples), *target, channels),
                    names=tuple(sample.file for sample in samples),
                    labels=tuple(sample.label for sample in samples),
                    classes=classes,
                    parts=parts if any(parts) else (),
                    note=self._note(form, len(samples), (*target, channels)),
                    upright=form == "signal" or self.kind == "clip",
                    left_out=tuple(self.left_out),
                    warnings=tuple(self.warnings),
                )
            )

    def _note(self, form: Form, count: int, shape: Sequence[int]) -> str:
        why = "one folder of frames each (frames x height x width); --form pictures trains on single frames"
        return reading_note(form, count, shape, why if self.kind == "clip" else "one file each")


def _fitted(values: npt.NDArray[Any], target: tuple[int, ...], *, clip: bool) -> npt.NDArray[Any]:
    if values.shape[:-1] == target:
        return values
    if len(target) == 1:
        return cut_or_fill(values, target[0])
    if clip:
        values = values[pick_frames(len(values), target[0])]
    resized = resize(values, target)
    return resized.round().astype(values.dtype) if values.dtype.kind == "u" else resized


def _usual(numbers: Sequence[int]) -> int:
    """The most frequent number, the larger of two that are equally frequent."""
    counts = Counter(numbers)
    return max(counts, key=lambda number: (counts[number], number))


def _numbered(sample: Sample) -> tuple[int, str]:
    """Order frames by their number: frame 10 comes after frame 9."""
    stem = sample.file.rpartition("/")[2].rpartition(".")[0]
    digits = "".join(character if character.isdigit() else " " for character in stem).split()
    return (int(digits[-1]) if digits else 0, sample.file)
