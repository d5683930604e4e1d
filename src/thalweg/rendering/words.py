"""The few words the report's frame adds to what it is given, in English; catalogues hold them under `frame`."""

from thalweg.core.languages import speaker

__all__ = ["WORDS", "words_for"]

WORDS = {
    "brand": "thalweg report",
    "skip": "Skip to the report",
    "answer": "The answer",
    "contents": "Contents",
    "provenance": "How this report came about",
    "warning": "Warning",
    "note": "Note",
    "copy_button": "Copy",
    "copied": "Copied",
    "data": "Show as table",
    "thinned": "Every {step}th of {total} rows is listed.",
    "more_rows": "More rows ({count})",
    "rows": "{count} rows",
    "more_pictures": "More pictures ({count})",
    "no_pictures": "There are no pictures here.",
    "no_rows": "There is nothing to list.",
    "true": "true class",
    "predicted": "predicted class",
    "files": "files",
    "cell": "{true}, taken for {predicted}",
    "cell_right": "{true}, recognised",
    "cell_open": "open its pictures ({count})",
    "close": "Close",
    "matrix_hint": "Shade and percentage: share of the row. Underlined counts open their pictures.",
    "matrix_pairs": "{count} classes are too many for a grid; these are the most frequent confusions.",
    "drawing_text": "The drawing in words",
    "curves_hint": "To read values: point, or arrow keys. To zoom: drag, or + and -; 0 shows all.",
    "csv": "Copy as CSV",
    "selected": "Selected",
    "reset": "Show all",
    "log": "Log scale",
    "closer": "Zoom in",
    "further": "Zoom out",
    "tools": "View of this figure",
    "command": "Command",
    "truth": "truth",
    "prediction": "prediction",
    "slide": "Slide between prediction and truth",
}


def words_for(language: str) -> dict[str, str]:
    """Find the frame's words in a language.

    Args:
        language: `en`, or one that has a catalogue.

    Returns:
        The words by their key; the language itself, its direction and its digits.

    Raises:
        PlanError: There are no words for this language.

    Example:
        >>> words_for("en")["contents"], words_for("fa")["contents"]
        ('Contents', 'فهرست')
    """
    voice = speaker(language, isolated=True)
    words = {key: voice.say(text, "frame") for key, text in WORDS.items()}
    return {**words, "language": language, "direction": voice.direction, "digits": voice.digits}
