"""What a report says of a pretrained start, of a threshold, and of what neither must be used for."""

from thalweg.core.files import printable
from thalweg.core.plan import TrainingPlan
from thalweg.core.report import Block, Paragraph, Section, Table
from thalweg.core.run_folder import RunFolder

__all__ = ["transfer_sections"]

NO_DEVICE = (
    "This is no medical device: where the pictures are medical, neither the network nor this report may decide about a "
    "patient. Thresholds are chosen on validation files only; files of one patient must not lie on both sides of the "
    "split (--group-by), and another hospital's pictures may be answered worse."
)


def transfer_sections(folder: RunFolder, plan: TrainingPlan) -> tuple[Section, ...]:
    """Sections on the pretrained start and on the threshold, for runs with a backbone or grouped files.

    Args:
        folder: The run.
        plan: Its plan.

    Returns:
        None for other runs.
    """
    if plan.backbone is None and plan.group_by is None:
        return ()
    blocks: list[Block] = []
    if plan.backbone is not None and (folder.path / "backbone.json").is_file():
        blocks += _backbone_blocks(folder.read_json("backbone.json"))
    if (folder.path / "threshold.json").is_file():
        blocks += _threshold_blocks(folder.read_json("threshold.json"))
    blocks.append(Paragraph(text=NO_DEVICE))
    title = "Pretrained start and care" if plan.backbone else "Care"
    return (Section(title=title, blocks=tuple(blocks)),)


def _backbone_blocks(about: dict[str, object]) -> list[Block]:
    weights, first, features = (_mapping(about.get(name)) for name in ("weights", "head_first", "features"))
    pixels = _mapping(about.get("preprocessing"))
    stages, frozen = about.get("stages"), about.get("frozen")
    if frozen == "all":
        learned = f"All {stages} stages stayed as they came; the head alone was trained, on cached features."
    else:
        learned = (
            f"Of {stages} stages the first {frozen} stayed as they came. The others opened one after the other, the "
            f"deepest first, all within the first {_share(about.get('unfreeze'))} of the run, each at "
            f"{about.get('layer_decay')} times the rate of the one after it."
        )
    placed = _mapping(about.get("wise_ft"))
    if placed:
        learned += (
            f" The weights that are kept lie at {_short(placed.get('share'))} of the way from the start to the trained "
            f"ones (WiSE-FT): nearer to the start serves pictures of another origin better."
        )
    if placed.get("chosen_on"):
        learned += f" It is the least share that {placed.get('files')} validation files do not know to be worse."
    statistics = (
        "Batch normalisations kept the running statistics they came with."
        if about.get("batch_norm") == "frozen"
        else "Batch normalisations took the statistics of batches."
    )
    grey = " The pictures are grey: each value was given three times." if about.get("grey") else ""
    lines = (
        (
            f"{printable(str(about.get('name')))} started from {printable(str(weights.get('about')))}: "
            f"{printable(str(weights.get('place')))}, SHA-256 {weights.get('sha256')}."
        ),
        f"{learned} {statistics}",
        (
            f"Pixels from 0 to 255 are taken times {_short(pixels.get('scale'))} plus {_short(pixels.get('offset'))}, "
            f"at {about.get('image_size')} pixels a side, inside the network: every later use does the same.{grey}"
        ),
        (
            f"Before the first step a linear head on the frozen trunk was right on {_share(first.get('accuracy'))} of "
            f"{first.get('files')} held-out files (features of {features.get('pictures')} pictures in "
            f"{features.get('views')} views took {features.get('seconds')} s)."
        ),
    )
    return [Paragraph(text=line) for line in lines]


def _threshold_blocks(point: dict[str, object]) -> list[Block]:
    chosen = point.get("chosen_on")
    how = (
        f"chosen on the {chosen} split in the middle of those whose mean of sensitivity and specificity is best there "
        f"within its error"
        if chosen
        else "one half, since no split besides the reported one is there to choose it on (--split 70/10/20 makes one)"
    )
    rows = tuple(
        (name, _share(point.get(name)), " to ".join(map(_share, _pair(point.get(f"{name}_interval")))))
        for name in ("sensitivity", "specificity", "accuracy")
    )
    threshold = point.get("threshold")
    value = f"{threshold:.3f}" if isinstance(threshold, int | float) else "?"
    positive = printable(str(point.get("positive")))
    caption = (
        f"{positive} from probability {value} on, measured on the {point.get('split')} split; the threshold is {how}"
    )
    return [Table(caption=caption, header=("what", "share", "95 % interval"), rows=rows)]


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _pair(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _share(value: object) -> str:
    return f"{value:.1%}" if isinstance(value, int | float) else "?"


def _short(value: object) -> str:
    if isinstance(value, list):
        return f"({', '.join(_short(each) for each in value)})"
    return f"{value:.4g}" if isinstance(value, int | float) else str(value)
