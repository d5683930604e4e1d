"""The general rule behind every convolution gradient, and where a case deviates from the plain one."""

from thalweg.core.derivation import ConvolutionCase
from thalweg.derivation.geometry import products

__all__ = ["RULE", "deviations"]

RULE = (
    "The gradient at the input is the full convolution of the gradient at the output with the flipped filter: turn "
    "the filter round along every axis, put reach - 1 zeros around dO/dy, slide. A stride s puts s - 1 zeros between "
    "the entries of dO/dy first (gaps); a padding p cuts p entries off each border of the result (a crop); a dilation "
    "d puts d - 1 zeros between the filter's entries. The gradient at the filter is the correlation of the padded "
    "input with dO/dy, gaps included; the gradient at a bias is the sum of dO/dy over its channel."
)


def deviations(case: ConvolutionCase) -> list[str]:
    """Say where a case deviates from one channel, stride 1, no padding and no dilation.

    Args:
        case: The case.

    Returns:
        A sentence each, empty for the plain case.

    Example:
        >>> from thalweg.derivation.case import build_case
        >>> deviations(build_case("conv1d", x="4", f="2", stride=2)[0])[0]
        'Stride 2: between neighbouring entries of dO/dy stand 1 zeros before the full convolution.'
    """
    found = []
    if set(case.stride) != {1}:
        gaps = " x ".join(str(step - 1) for step in case.stride)
        found.append(
            f"Stride {_sizes(case.stride)}: between neighbouring entries of dO/dy stand {gaps} zeros before the full "
            "convolution."
        )
    if any(before or after for before, after in case.padding):
        crop = ", ".join(f"{before} in front and {after} behind" for before, after in case.padding)
        found.append(
            f"Padding: the full convolution gives a gradient for the padded input too; it is cropped ({crop}, per "
            "axis), because nobody asks for the gradient at a padded zero."
        )
    if set(case.dilation) != {1}:
        found.append(
            f"Dilation {_sizes(case.dilation)}: the flipped filter is spread out, with {_sizes(case.dilation)} - 1 "
            "zeros between its entries."
        )
    channels = case.in_channels // case.groups
    if case.out_channels > 1:
        found.append(
            f"{case.out_channels} filters: every input entry collects from all filters that read its channel, so their "
            "full convolutions are added up."
        )
    if channels > 1:
        found.append(
            f"{channels} channels a filter: each channel of the filter serves its own channel of the input; one dO/dy "
            "goes to all of them."
        )
    if case.groups > 1:
        found.append(f"{case.groups} groups: the rule holds in each group alone; no gradient crosses between groups.")
    unreached = _unreached(case)
    if unreached:
        found.append(
            f"{unreached} input entries are met by no filter entry (the last step would leave the input): their "
            "gradient is 0."
        )
    return found


def _sizes(sizes: tuple[int, ...]) -> str:
    return str(sizes[0]) if len(set(sizes)) == 1 else " x ".join(map(str, sizes))


def _unreached(case: ConvolutionCase) -> int:
    """Count input entries that appear in no product."""
    return len(case.x) - len({place for pairs in products(case) for place, _ in pairs})
