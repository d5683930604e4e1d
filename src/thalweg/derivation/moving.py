"""What an output of a layer that takes values apart depends on: cropping, the two shuffles; and of its neighbours."""

from thalweg.core.layer_kinds.settings import per_axis
from thalweg.core.layer_kinds.windows import margins
from thalweg.derivation.reading import Asked, Found, Term, one_input, reads_of

__all__ = ["among_neighbours", "cropped", "shuffled", "spread"]


def cropped(asked: Asked) -> Found:
    """Cropping.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    left_out = margins(asked.settings["cropping"], asked.output.axes)
    channel = asked.channel + per_axis(asked.settings["channels"], 2)[0]
    at = (channel, *(place + before for place, (before, _) in zip(asked.place, left_out, strict=True)))
    return one_input(asked, at, "One input as it is, moved by the cropping.")


def shuffled(asked: Asked) -> Found:
    """Shuffling of channels: those of all groups are dealt out in turn (Zhang et al. 2018).

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    groups = asked.settings["groups"]
    size = asked.output.channels // groups
    at = (asked.channel % groups * size + asked.channel // groups, *asked.place)
    return one_input(asked, at, "One input as it is, of another channel.")


def spread(asked: Asked) -> Found:
    """Shuffling of pixels: channels become positions (Shi et al. 2016).

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    factor = asked.settings["upscale_factor"]
    row, column = asked.place
    channel = asked.channel * factor**2 + row % factor * factor + column % factor
    return one_input(
        asked, (channel, row // factor, column // factor), "One input as it is, of a channel that became places."
    )


def among_neighbours(asked: Asked) -> Found:
    """Local response normalisation.

    Args:
        asked: The question.

    Returns:
        What the output depends on.
    """
    size = asked.settings["size"]
    first = max(asked.channel - size // 2, 0)
    last = min(asked.channel + (size - 1) // 2, asked.output.channels - 1)
    spot = [[place] for place in asked.place]
    return Found(
        rule=f"Its own input over a power of the sum of squares of channels {first} to {last} at this position.",
        combine="all",
        terms=tuple(Term(at=(channel, *asked.place)) for channel in range(first, last + 1)),
        products=last - first + 1,
        reads=(reads_of(asked, 0, (first, last), spot),),
    )
