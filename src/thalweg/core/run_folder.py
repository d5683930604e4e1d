"""The layout of a run folder, in one place: which file holds what, and how each is read back.

runs/NAME/
plan.toml          everything that decided the run
environment.json   versions, hardware, command
data.json          files of every split, what was left out and why
history.csv        one row an epoch
steps.csv          one row a step
events.json        what happened and when
metrics.json       the scores of the reported split
network.json       the network's spec
model.safetensors  its weights
predictions.csv    the probabilities behind the scores, a row a file of the reported split
checkpoints/       what `thalweg resume` goes on from
report.html        the report
initial_scale.json what weights drawn from the seed were divided by, where signals exploded or died in them
context.json       how much of a picture a segmenter uses, once `thalweg lab context RUN` has measured it
progress.json      where the run is, replaced each second while it trains
stop-request       put there by whoever wants it to save and stop
"""

import datetime as dt
import json
import os
from collections.abc import Mapping
from itertools import chain, islice
from pathlib import Path

from thalweg.core.codec import from_plain, to_plain
from thalweg.core.errors import RunError, SpecError
from thalweg.core.files import WRITING, at_home, printable, write_atomically, written_aside
from thalweg.core.network_plain import spec_from_plain
from thalweg.core.network_spec import NetworkSpec
from thalweg.core.report import Report

__all__ = ["RunFolder", "whatever_json"]

SCHEMA = 1

_PIECES = 16_384  # words of a JSON file that are written together


class RunFolder:
    """A run on the disk.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, out: Path | None, name: str) -> "RunFolder":
        """Make a new, empty run folder.

        Args:
            out: The wanted folder; None makes `runs/NAME-DATE` in the working folder.
            name: The run's name, where `out` is None.

        Returns:
            The folder, with its `checkpoints/` inside.

        Raises:
            RunError: The folder holds something already, or cannot be made.
        """
        out = None if out is None else at_home(out)
        cls.check_free(out)
        if out is None:
            stamp = dt.datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
            base = Path("runs", f"{name}-{stamp}")
            out = next(path for path in _numbered(base) if not path.exists())
        try:
            (out / "checkpoints").mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{printable(out)} cannot be made: {error.strerror}; name another with --out") from None
        return cls(out)

    @staticmethod
    def check_free(out: Path | None) -> None:
        """Refuse a folder that holds something, before any work is done for it.

        Args:
            out: The wanted folder, or None.

        Raises:
            RunError: The folder holds something already, or is a file.
        """
        out = None if out is None else at_home(out)
        if out is not None and out.exists() and not out.is_dir():
            raise RunError(f"{printable(out)} is a file: name a folder with --out")
        if out is not None and out.is_dir() and any(out.iterdir()):
            raise RunError(f"{printable(out)} is not empty: name another with --out, or go on with thalweg resume")
        wanted = Path("runs") if out is None else out
        parent = next((folder for folder in (wanted, *wanted.parents) if folder.exists()), Path())
        if not os.access(parent, os.W_OK | os.X_OK):
            raise RunError(f"{printable(wanted)} cannot be made: {printable(parent)} is not yours to write; see --out")

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Open an existing run folder.

        Args:
            path: The folder, or a file inside it.

        Returns:
            The folder.

        Raises:
            RunError: There is no run there.
        """
        path = at_home(path)
        folder = path.parent if path.is_file() else path
        if not (folder / "plan.toml").is_file():
            known = sorted((item.stat().st_mtime, item.parent.name) for item in Path("runs").glob("*/plan.toml"))
            hint = f"; runs here: {', '.join(printable(name) for _, name in known[-5:])}" if known else ""
            raise RunError(f"{printable(path)} is no run folder (it has no plan.toml){hint}")
        return cls(folder)

    def refuse_links(self) -> None:
        """Refuse to write into a folder with links: somebody who sent it would else choose which files are written.

        The folder itself may be reached through one.

        Raises:
            RunError: Something in it, or in its `checkpoints/`, is a link.
        """
        for path in (*self.path.iterdir(), *self.path.glob("checkpoints/*")):
            if path.is_symlink():
                raise RunError(
                    f"{printable(path)} is a link, and a run writes into its own folder alone: put the file itself "
                    "there"
                )

    def sweep(self) -> None:
        """Remove what a killed process was just writing; only for whoever goes on with the run."""
        (self.path / "checkpoints").mkdir(exist_ok=True)  # a copy may lack it
        for path in (*self.path.glob(f"{WRITING}*"), *self.path.glob(f"checkpoints/{WRITING}*")):
            path.unlink(missing_ok=True)

    def write_text(self, name: str, text: str) -> None:
        """Replace a file of the run as a whole.

        Args:
            name: Such as `history.csv`.
            text: Its content.
        """
        write_atomically(self.path / name, text)

    def write_json(self, name: str, value: object) -> None:
        """Replace a JSON file of the run; its first field is the schema's number.

        Args:
            name: Such as `metrics.json`.
            value: A mapping or dataclass.
        """
        plain = {"schema": SCHEMA, **to_plain(value)}
        pieces = chain(json.JSONEncoder(indent=1, allow_nan=False).iterencode(plain), ("\n",))
        with written_aside(self.path / name) as file:  # a piece at a time: data.json names 300,000 files
            while some := "".join(islice(pieces, _PIECES)):
                file.write(some.encode("ascii"))

    def read_text(self, name: str) -> str:
        """Read a file of the run.

        Args:
            name: Such as `history.csv`.

        Returns:
            Its content.

        Raises:
            RunError: The file is missing or not readable text.
        """
        try:
            return (self.path / name).read_bytes().decode("utf-8")  # as written: a class name may hold a line break
        except FileNotFoundError:
            raise RunError(
                f"{printable(self.path)} has no {name}: the run did not get that far, or was copied without it"
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{printable(self.path / name)} cannot be read: {error}") from None

    def read_network(self) -> NetworkSpec:
        """Read the network's description.

        Returns:
            The network.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            return spec_from_plain({"schema": SCHEMA, **self.read_json("network.json")})
        except SpecError as error:
            raise RunError(f"{printable(self.path / 'network.json')}: {error}") from None

    def read_report(self) -> Report:
        """Read the report as data, to be rendered again or exported.

        Returns:
            The report, in English.

        Raises:
            RunError: The file is missing or damaged.
        """
        try:
            return from_plain(Report, json.loads(self.read_text("report.json")), "report.json")
        except (json.JSONDecodeError, RecursionError) as error:
            raise RunError(f"{printable(self.path / 'report.json')} is damaged: {error}") from None

    def read_json(self, name: str) -> dict[str, object]:
        """Read a JSON file of the run.

        Args:
            name: Such as `data.json`.

        Returns:
            Its fields without the schema's number.

        Raises:
            RunError: The file is missing, damaged or of an unknown schema.
        """
        try:
            data = json.loads(self.read_text(name))
        except (json.JSONDecodeError, RecursionError) as error:
            raise RunError(f"{printable(self.path / name)} is damaged: {error}") from None
        if not isinstance(data, dict) or data.pop("schema", None) != SCHEMA:
            raise RunError(f"{printable(self.path / name)} is not of schema {SCHEMA}, the only one this version reads")
        return data


def _numbered(base: Path) -> "list[Path]":
    return [base, *(base.with_name(f"{base.name}-{number}") for number in range(2, 1000))]


def whatever_json(path: Path) -> Mapping[str, object]:
    """Read a JSON file of a run that may be missing, half written or older than what is asked of it.

    Args:
        path: The file.

    Returns:
        Its object; empty where there is none.
    """
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
