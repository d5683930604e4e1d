"""Two thousand short epochs in one process: does its memory grow, do file handles stay open?

A run with monitor, repair, weight average and a checkpoint every twentieth of a second is trained on a few tiny
pictures; resident memory and open files are noted after every epoch. The growth is the slope of a line through the
resident memory of all epochs after the first quarter, in MB per 100 epochs.

    python benchmarks/reliability/leaks.py --out benchmarks/results/reliability/leaks.json
"""

import gc
import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from outcome import Case, make_photos, report
from power_loss import trainer

EPOCHS = 2000
SHORT = 400
"""Epochs of the short form: the loop alone, on a network of one layer."""


def resident_mb() -> float:
    """Resident memory of this process, in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def work(quick: bool) -> dict[str, object]:
    """Train, noting memory and handles after every epoch."""
    import numpy as np

    import thalweg
    from thalweg.training import loop
    from thalweg.training.progress import Progress
    from thalweg.workbench.telling.telling import silent

    memory: list[float] = []
    handles: list[int] = []

    def noting(progress: Progress) -> None:
        if progress.row is not None:
            memory.append(resident_mb())
            handles.append(sum(1 for _ in Path("/proc/self/fd").iterdir()))

    loop.CHECKPOINT_SECONDS = 0.05
    try:
        with tempfile.TemporaryDirectory() as name:
            if quick:
                small = trainer(Path(name), SHORT)
                small.observer = noting
                small.fit()
            else:
                photos = make_photos(Path(name, "photos"), count=6, side=16)
                thalweg.train(
                    photos, network="small", epochs=EPOCHS, image_size=16, batch_size=16, lr=0.001,
                    out=Path(name, "run"), listener=replace(silent(), train=noting),
                )  # fmt: skip
    finally:
        loop.CHECKPOINT_SECONDS = 20.0
    gc.collect()
    settled = memory[len(memory) // 4 :]
    slope = float(np.polyfit(np.arange(len(settled)), settled, 1)[0]) * 100
    settled_handles = handles[len(handles) // 4 :]
    middle = len(settled_handles) // 2  # other threads open files, too, and close them again: a leak raises the fewest
    more = min(settled_handles[middle:]) - min(settled_handles[:middle])
    limit = 1.0
    details: list[Case] = [
        {"what": "MB per 100 epochs", "found": round(slope, 3), "limit": limit, "held": slope <= limit},
        {"what": "more open files, at the fewest", "found": more, "limit": 0, "held": more <= 0},
    ]
    return {
        "row": 23,
        "epochs": len(memory),
        "resident_mb": [round(memory[index], 1) for index in range(0, len(memory), max(1, len(memory) // 20))],
        "cases": 2,
        "held": sum(bool(case["held"]) for case in details),
        "details": details,
    }


if __name__ == "__main__":
    sys.exit(report(__doc__ or "", work))
