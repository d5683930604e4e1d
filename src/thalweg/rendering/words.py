"""The few words the report's frame adds to what it is given, a table for each language."""

from thalweg.core.errors import PlanError

__all__ = ["WORDS", "words_for"]

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "direction": "ltr",
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
        "right": "right",
        "cell": "{true}, taken for {predicted}",
        "cell_right": "{true}, recognised",
        "cell_open": "open its pictures ({count})",
        "close": "Close",
        "matrix_hint": "Shade and percentage: share of the row. Underlined counts open their pictures.",
        "matrix_pairs": "{count} classes are too many for a grid; these are the most frequent confusions.",
        "share": "share of the class",
        "drawing_text": "The drawing in words",
        "truth": "truth",
        "prediction": "prediction",
        "slide": "Slide between prediction and truth",
        "curves_hint": "To read values: point, or arrow keys. To zoom: drag, or + and -; 0 shows all.",
        "csv": "Copy as CSV",
        "selected": "Selected",
        "reset": "Show all",
        "log": "Log scale",
        "closer": "Zoom in",
        "further": "Zoom out",
        "tools": "View of this figure",
        "command": "Command",
        "digits": "",
    },
    "fa": {
        "direction": "rtl",
        "brand": "گزارش thalweg",
        "skip": "رفتن به متن گزارش",
        "answer": "پاسخ",
        "contents": "فهرست",
        "provenance": "این گزارش چگونه ساخته شد",
        "warning": "هشدار",
        "note": "یادداشت",
        "copy_button": "رونوشت",
        "copied": "رونوشت شد",
        "data": "نمایش به صورت جدول",
        "thinned": "از {total} سطر، از هر {step} سطر یکی آمده است.",
        "more_rows": "{count} سطر دیگر",
        "rows": "{count} سطر",
        "more_pictures": "{count} تصویر دیگر",
        "no_pictures": "تصویری در اینجا نیست.",
        "no_rows": "چیزی برای نمایش نیست.",
        "true": "دستهٔ درست",
        "predicted": "دستهٔ پیش‌بینی‌شده",
        "files": "پرونده",
        "right": "درست",
        "cell": "{true} که {predicted} شمرده شد",
        "cell_right": "{true} که درست شناخته شد",
        "cell_open": "نمایش {count} تصویر",
        "close": "بستن",
        "matrix_hint": "رنگ و درصد: سهم از سطر. عددهای زیرخط‌دار تصویرها را باز می‌کنند.",
        "matrix_pairs": "{count} دسته برای جدول زیاد است؛ اینها پرتکرارترین اشتباه‌ها هستند.",
        "share": "سهم از دسته",
        "drawing_text": "شرح نقشه",
        "truth": "درست",
        "prediction": "پیش‌بینی",
        "slide": "جابه‌جایی میان پیش‌بینی و درست",
        "curves_hint": "خواندن مقدارها: اشاره یا کلیدهای جهت؛ بزرگ کردن: کشیدن یا + و -؛ نمایش همه: 0.",
        "csv": "رونوشت به CSV",
        "selected": "انتخاب شد",
        "reset": "نمایش همه",
        "log": "مقیاس لگاریتمی",
        "closer": "بزرگ‌تر",
        "further": "کوچک‌تر",
        "tools": "نمای این نمودار",
        "command": "فرمان",
        "digits": "۰۱۲۳۴۵۶۷۸۹",
    },
}


def words_for(language: str) -> dict[str, str]:
    """Find the frame's words in a language.

    Args:
        language: `en` or `fa`.

    Returns:
        The words by their key, and the language itself under `language`.

    Raises:
        PlanError: There are no words for this language.

    Example:
        >>> words_for("en")["contents"]
        'Contents'
    """
    if language not in WORDS:
        raise PlanError(f"reports speak {', '.join(WORDS)}; there are no words for {language!r}")
    return {**WORDS[language], "language": language}
