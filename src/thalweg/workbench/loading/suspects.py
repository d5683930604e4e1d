"""Labels that look wrong among the pictures of a source: reported with the pictures, never changed."""

from thalweg.core.results import Suspect
from thalweg.data.health.descriptors import describe_pictures
from thalweg.evaluation.label_noise import find_suspects
from thalweg.workbench.loading.loaded import Loaded

__all__ = ["suspects_of"]

MOST = 20_000
"""With more pictures than this nothing is looked for: it would take minutes."""


def suspects_of(loaded: Loaded, *, seed: int = 0) -> tuple[Suspect, ...]:
    """Ask which labels a plain model that never saw them finds hard to believe.

    Args:
        loaded: The pictures.
        seed: Decides folds and planted mistakes.

    Returns:
        The suspects, the least believable label first; none for other than pictures, or where nothing can be told.
    """
    if loaded.form != "picture" or len(loaded.rows) > MOST:
        return ()
    classes = loaded.scan.classes
    described = describe_pictures(loaded.pictures.pixels, loaded.rows)
    files, labels = loaded.files, loaded.labels  # each is made anew when it is asked for
    found = find_suspects(described, labels, len(classes), seed=seed)
    return tuple(
        Suspect(
            file=files[index],
            label=classes[int(labels[index])],
            looks_like=classes[int(other)],
            belief=float(belief),
        )
        for index, other, belief in zip(found.indices.tolist(), found.looks_like, found.belief, strict=True)
    )
