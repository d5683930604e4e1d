"""Google Drive links (stub while the room is being built)."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit


def is_drive_link(link: str) -> bool:
    return urlsplit(link).hostname in {"drive.google.com", "docs.google.com"}


def fetch_from_drive(link: str, *, progress: Callable[[str], None] | None = None) -> Path:
    raise NotImplementedError
