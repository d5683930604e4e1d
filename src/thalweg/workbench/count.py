"""`thalweg count`: every layer of a network counted, with its arithmetic, and no weight allocated."""

from pathlib import Path
from typing import TYPE_CHECKING

from thalweg.accounting.ledger import count as count_layers
from thalweg.accounting.memory import inference_bytes, training_memory
from thalweg.accounting.solve import solve as solve_size
from thalweg.core.errors import PlanError
from thalweg.core.network_results import CountResult, CountTotal, SolvedSize, StepMemory
from thalweg.core.network_spec import NetworkSpec
from thalweg.workbench.describing.describing import InputSizes, describe

if TYPE_CHECKING:
    from torch import nn

__all__ = ["BATCH_SIZE", "count"]

BATCH_SIZE = 32
"""The batch that the memory of a training step is told for, where nobody says another."""

_OPTIMIZERS = ("sgd", "momentum", "adam")


def count(
    network: "str | Path | NetworkSpec | nn.Module",
    *,
    input: InputSizes = None,  # noqa: A002 - the word of the option
    classes: int | None = None,
    solve: str | None = None,
    batch_size: int = BATCH_SIZE,
) -> CountResult:
    """Count parameters, multiplications, activations and receptive fields, layer by layer.

    Args:
        network: A name of the catalogue, a run folder, a JSON or YAML file, a line of layers, `module:function`,
            `timm:NAME`, a description, or a torch module.
        input: Channels and size of one sample, such as `3,224,224`; of several inputs in a list or as `3,224,224; 10`;
            what is usual, or stands in the file, by default.
        classes: Number of classes of a network of the catalogue or of timm; what is usual by default.
        solve: A question such as `flatten=59*64`: which input sizes make that layer give so many values.
        batch_size: Samples a step, for the memory that training needs.

    Returns:
        The rows, their sums, the memory of a training step, and the answer to `solve`.

    Raises:
        SpecError: Nothing is called that, the description is not well formed, or the question is not understood.
        ShapeError: A layer does not fit what it reads; the message names it and the numbers.
        PlanError: The input is missing, or an option is out of range.
        RunError: The run folder is damaged.
        MissingExtraError: timm is not installed.

    Example:
        >>> answer = count("conv1d(16,7) maxpool1d(2) flatten dense(5)", input="3,505", solve="flatten=16*249")
        >>> answer.total.parameters, answer.solved.ranges
        (20277, ((504, 505),))
    """
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise PlanError(f"--batch-size {batch_size}: a whole number from 1 is wanted")
    described = describe(network, input=input, classes=classes)
    spec = described.spec
    ledger = count_layers(spec)
    step = training_memory(spec, batch_size=batch_size, optimizer="sgd")
    return CountResult(
        ledger=ledger,
        total=CountTotal(
            parameters=ledger.parameters,
            trainable_parameters=sum(row.parameters for row in ledger.rows if row.trainable),
            buffers=ledger.buffers,
            macs=ledger.macs,
            activation_bytes_inference=inference_bytes(spec),
            activation_bytes_training=step.activation_bytes // batch_size,
            receptive_field=ledger.receptive_field,
        ),
        solved=None if solve is None else _solved(spec, solve),
        memory=tuple(
            StepMemory(
                optimizer=each.optimizer,
                state_bytes=each.optimizer_bytes,
                batch_size=batch_size,
                peak_bytes=each.peak_bytes,
            )
            for each in map(step.with_optimizer, _OPTIMIZERS)
        ),
        note=described.note,
    )


def _solved(spec: NetworkSpec, question: str) -> SolvedSize:
    found = solve_size(spec, question)
    return SolvedSize(
        question=question.strip(),
        layer=found.layer,
        wanted=found.wanted,
        ranges=found.ranges,
        axes=found.axes,
        nearest=found.nearest,
        per_axis=found.per_axis,
        beyond=found.beyond,
    )
