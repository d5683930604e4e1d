"""Which samples of a batch are made here, where several ranks make one together."""

from dataclasses import dataclass

__all__ = ["Share"]


@dataclass(frozen=True, slots=True)
class Share:
    """The samples of a batch that are made here, where others make the rest: draws are made for the whole batch.

    Args:
        count: Samples of the whole batch.
        first: The first one made here.
        last: One behind the last.
    """

    count: int
    first: int
    last: int

    @property
    def mine(self) -> slice:
        """The samples made here."""
        return slice(self.first, self.last)
