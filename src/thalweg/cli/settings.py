"""The options that every verb shares, wherever on the line they stand, and how an answer leaves the program."""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from thalweg.core.codec import to_plain
from thalweg.core.errors import PlanError
from thalweg.core.files import spelled_home
from thalweg.core.languages import languages
from thalweg.core.launch import Launch

__all__ = ["GLOBAL", "SCHEMA", "Settings", "emit_json", "given_to", "lead_nowhere", "take_global_options"]

SCHEMA = 1
GLOBAL = ("--json", "--lang", "--quiet", "--traceback")
"""The options that every verb shares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The global options.

    Args:
        json: Print exactly one JSON object on standard output.
        quiet: Say nothing but the answer and errors.
        traceback: Show where in the code an error arose.
        lang: Language of the texts.
        started: When the command began, as `time.perf_counter()`; None where nobody looked.
        launch: Place among ranks that were started together; None for a process of its own.
    """

    json: bool = False
    quiet: bool = False
    traceback: bool = False
    lang: str = "en"
    started: float | None = None
    launch: Launch | None = None

    @property
    def follows(self) -> bool:
        """Whether another rank speaks for this one."""
        return self.launch is not None and self.launch.rank > 0


def take_global_options(arguments: Sequence[str]) -> tuple[Settings, list[str]]:
    """Pick the global options out of a command line; they may stand before or after the verb.

    Args:
        arguments: The words after the program's name.

    Returns:
        The options, and the words that are left.

    Raises:
        PlanError: The language is not known.

    Example:
        >>> take_global_options(["train", "photos", "--json"])
        (Settings(json=True, quiet=False, traceback=False, lang='en', started=None, launch=None), ['train', 'photos'])
    """
    found = {"json": False, "quiet": False, "traceback": False}
    lang, rest = "en", []
    words = iter(arguments)
    for word in words:
        if word == "--":  # what follows are names, even if they look like options
            rest += [word, *words]
        elif word.removeprefix("--") in found and word.startswith("--"):
            found[word[2:]] = True
        elif word == "--lang" or word.startswith("--lang="):
            lang = word[7:] if "=" in word else next(words, "")
            if lang not in languages():
                raise PlanError(f"--lang {lang or '(nothing)'}: choose one of {', '.join(languages())}")
        else:
            rest.append(_at_home(word))
    return Settings(lang=lang, json=found["json"], quiet=found["quiet"], traceback=found["traceback"]), rest


def _at_home(word: str) -> str:
    """A word with `~/` spelled out, which shells leave as it is in `--out=~/runs` and between quotes."""
    option, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{option}{equals}{spelled_home(value)}" if value.startswith("~/") else word


def given_to(option: str, words: Sequence[str]) -> str | None:
    """Find what an option was given.

    Args:
        option: Its name.
        words: The words of a command line.

    Returns:
        The last value it has there; None where it has none.

    Example:
        >>> given_to("--epochs", ["train", "photos", "--epochs", "3", "--epochs=1.5"])
        '1.5'
    """
    words = words[: words.index("--")] if "--" in words else words
    given = None
    for word, after in zip(words, [*words[1:], None], strict=True):
        if word == option or word.startswith(f"{option}="):
            given = after if word == option else word.partition("=")[2]
    return given


def emit_json(answer: object) -> None:
    """Print one JSON object with the schema's number first.

    Args:
        answer: A result or a mapping.
    """
    text = json.dumps({"schema": SCHEMA, **to_plain(answer)}, allow_nan=False)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def lead_nowhere(stream: TextIO) -> None:
    """Let the reader of a stream go away (`| head`), or its disk be full, without a complaint at exit.

    Args:
        stream: Standard output or error; what it still holds, and all that follows, is written nowhere.
    """
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
