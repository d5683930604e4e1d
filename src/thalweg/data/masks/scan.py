"""A source with masks as a scan: pictures paired with masks, the classes of their pixels, and what was left out."""

from thalweg.core.errors import SourceError
from thalweg.core.files import printable
from thalweg.data.masks.classes import find_table, usual_table
from thalweg.data.masks.coding import choose_coding
from thalweg.data.masks.decode import MaskCoding
from thalweg.data.masks.layouts import LAYOUTS, Arrangement, find_masks
from thalweg.data.opening.source import OpenedSource

__all__ = ["masks_of"]

_FORMS = {"auto", "pictures"}


def masks_of(opened: OpenedSource) -> tuple[Arrangement, MaskCoding] | None:
    """Find the masks of a source.

    Args:
        opened: What `open_source` gave; its `wanted.task` may insist on masks, or refuse them.

    Returns:
        The pairs and what the masks' pixels mean; None where the source has no masks, or none are wanted.

    Raises:
        SourceError: Masks are insisted on and there are none, or they cannot be read.
    """
    wanted = opened.wanted
    if wanted.task == "classification" or wanted.form not in _FORMS or opened.kind in {"elpv", "arrays"}:
        return None
    found = find_masks(opened.root)
    if found is None:
        if wanted.task == "segmentation":
            raise SourceError(f"{printable(opened.name)}: no masks found for --task segmentation; wanted are {LAYOUTS}")
        return None
    inner = sorted({sample.file.rpartition("/")[0] for sample in found.samples[:: max(1, len(found.samples) // 8)]})
    places = [found.root, opened.root, *(found.root / folder for folder in inner)]
    table = next((table for place in places if (table := find_table(place))), None) or usual_table(found.kind)
    masks = [sample.mask for sample in found.samples]
    return found, choose_coding(found.root, masks, table, opened.name)
