"""What the live page says in its reader's language: its own words by catalogue, what runs say of themselves sentence by
sentence. Names (runs, classes, files, options of a plan) are never looked up.
"""

import html
import importlib.resources
import re
from collections.abc import Mapping

from thalweg.core.codec import dumps, to_plain
from thalweg.core.finding import Finding
from thalweg.core.languages import speaker
from thalweg.core.run_state import RunState

__all__ = ["Tongue"]

_WORDS = re.compile(r"\{\{(.+?)\}\}")


class Tongue:
    """Says what the page shows.

    Args:
        language: As of `--lang`.

    Raises:
        PlanError: There is no catalogue for the language.

    Example:
        >>> Tongue("fa").say("too high"), Tongue("en").say("too high")
        ('بیش از حد زیاد', 'too high')
    """

    def __init__(self, language: str) -> None:
        self.language = language
        self._voice = speaker(language, isolated=True)

    def say(self, text: str, context: str = "") -> str:
        """Say a sentence of ours.

        Args:
            text: In English.
            context: As of `Speaker.say`.

        Returns:
            The translation; the text itself where nobody knows it.
        """
        return str(self._voice.say(text, context))

    def name(self, name: str) -> str:
        """Say the name of a finding or a remedy.

        Args:
            name: With underscores, as in JSON.

        Returns:
            Words.

        Example:
            >>> Tongue("en").name("saddle_point"), Tongue("fa").name("saddle_point")
            ('saddle point', 'نقطهٔ زینی')
        """
        return str(self._voice.name(name))

    def page(self, text: str) -> str:
        """Say what stands in double braces in the page's frame.

        Args:
            text: HTML.

        Returns:
            The same in this language.
        """
        text = text.replace("{language}", self.language).replace("{direction}", self._voice.direction)
        return _WORDS.sub(lambda match: html.escape(self.say(match[1], "page")), text)

    def words(self) -> str:
        """Write the words that the page's script says.

        Returns:
            A JavaScript module; the catalogue's entries of the context `page` by their English text.
        """
        facts = {
            "language": self.language,
            "direction": self._voice.direction,
            "digits": self._voice.digits,
            "separators": self._voice.separators,
            "words": self._voice.listed("page"),
        }
        return f"export default {dumps(facts)};\n"

    def row(self, state: RunState, notice: str = "") -> dict[str, object]:
        """Say a run's row of the table.

        Args:
            state: The run.
            notice: What became of it when it was resumed from the page.

        Returns:
            The state as plain data, its sentences said; `warning_words` and `notice`.
        """
        return {
            **state.to_json(),
            "verdict_line": self.say(state.verdict_line),
            "monitor": self.say(state.monitor),
            "message": self.say(state.message, "error"),
            "split": self.say(state.split),
            "warning_words": list(map(self.name, state.warnings)),
            "notice": notice if notice == "resuming" else self.trouble(notice),
        }

    def trouble(self, text: str) -> str:
        """Say what went wrong.

        Args:
            text: An error's sentence, perhaps after the program's name, as a terminal shows it.

        Returns:
            The sentence.
        """
        return self.say(text.removeprefix("thalweg: "), "error")

    def event(self, event: Mapping[str, object]) -> dict[str, object]:
        """Say what happened during a run.

        Args:
            event: `epoch, step, kind, message`.

        Returns:
            The same, its message said.
        """
        return {**event, "message": self.say(str(event["message"]))}

    def finding(self, finding: Finding) -> dict[str, object]:
        """Say a finding.

        Args:
            finding: It.

        Returns:
            Its fields as plain data, its claim said; `title, severity_word`, and the `title` of each remedy.
        """
        plain = to_plain(finding)
        remedies = [{**each, "title": self.name(each["code"])} for each in plain["remedies"]]
        return {
            **plain,
            "title": self.name(finding.name),
            "claim": self.say(finding.claim),
            "severity_word": self.say(finding.severity),
            "remedies": remedies,
        }


def asset(name: str) -> str:
    """Read one of the page's own files.

    Args:
        name: Its name.

    Returns:
        Its text.
    """
    return importlib.resources.files("thalweg.dashboard").joinpath("page", name).read_text("utf-8")
