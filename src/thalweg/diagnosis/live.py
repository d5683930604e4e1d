"""What was measured inside a run while it went on: signals by name and layer, in depth order, and facts of the network.

Curves tell that a run goes wrong; these numbers tell where. A history has them when the run was watched
(`thalweg.watch`, or `thalweg train`); one that was only logged has none, and is judged by its curves alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thalweg.core.finding import Evidence
from thalweg.core.history import RunHistory
from thalweg.core.network_facts import NetworkFacts
from thalweg.diagnosis.curve import Curve

__all__ = ["MEASURED", "Live", "late_level", "observed", "start_level"]

MEASURED = frozenset((
    *("batch_update_ratio", "batch_alignment", "batch_critical_step", "batch_rate_to_edge", "batch_sharpness"),
    *("batch_noise_scale", "batch_actual_decrease", "batch_predicted_decrease", "batch_dead_fraction"),
    *("batch_saturated_fraction", "batch_activation_std", "batch_input_min", "batch_input_max"),
    *("batch_input_mean", "batch_input_std", "batch_loss_at_start", "batch_loss_expected", "batch_non_finite"),
    *("batch_weight_norm", "batch_frozen", "batch_gradient_norm"),
))
"""Signals that no log of another library has."""
_FEW = 3  # measurements a level at the start is the median of


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Measurements of one run.

    Args:
        signals: Name to subject to curve; the subject is `run` or a layer's name.
        facts: What is known of the network; empty where nobody said.
    """

    signals: Mapping[str, Mapping[str, Curve]]
    facts: NetworkFacts

    @classmethod
    def of(cls, history: RunHistory) -> "Live | None":
        """Gather the measurements of a history.

        Args:
            history: A run.

        Returns:
            The measurements; None where the run was not watched.

        Example:
            >>> Live.of(RunHistory()) is None
            True
        """
        watched = any(signal.name in MEASURED for signal in history.signals)
        if not watched and history.network is None:
            return None
        signals: dict[str, dict[str, Curve]] = {}
        for signal in history.signals:
            curve = Curve.of(signal)
            if curve is not None and curve.unit == "step":
                signals.setdefault(signal.name, {})[signal.subject] = curve
        return cls(signals=signals, facts=history.network or NetworkFacts())

    def run(self, name: str) -> Curve | None:
        """Find a curve of the whole run.

        Args:
            name: Such as `batch_rate_to_edge`.

        Returns:
            The curve with at least one finite value, or None.
        """
        curve = self.signals.get(name, {}).get("run")
        return curve if curve is not None and len(curve) else None

    def value(self, name: str) -> float | None:
        """Find a number that was measured once, or the median of its measurements.

        Args:
            name: Such as `batch_loss_expected`.

        Returns:
            The number, or None.
        """
        curve = self.run(name)
        return None if curve is None else float(np.median(curve.values))

    def layers(self, name: str) -> dict[str, Curve]:
        """Find a signal's curves layer by layer.

        Args:
            name: Such as `batch_dead_fraction`.

        Returns:
            Layer to curve, in depth order where facts tell it, else in the order recorded; curves have a value.
        """
        found = {key: curve for key, curve in self.signals.get(name, {}).items() if key != "run" and len(curve)}
        depth = {layer.name: place for place, layer in enumerate(self.facts.layers)}
        return dict(sorted(found.items(), key=lambda item: depth.get(item[0], len(depth))))

    def weighted(self, name: str) -> dict[str, Curve]:
        """Find a signal's curves of layers with weights of their own, normalisations left out.

        Args:
            name: Such as `batch_weight_norm`.

        Returns:
            Layer to curve in depth order; of all layers recorded where no facts are known.
        """
        known = {layer.name for layer in self.facts.layers if layer.normalises or not layer.parameters}
        return {key: curve for key, curve in self.layers(name).items() if key not in known}

    @property
    def steps(self) -> int:
        """The last step of which anything was measured."""
        return int(max((curve.last for found in self.signals.values() for curve in found.values()), default=0.0))

    @property
    def learned(self) -> float | None:
        """Share of the loss at the start that is gone at the end; None where it was not seen, below 0 where it rose."""
        loss = self.run("batch_loss")
        if loss is None or len(loss) < _FEW:
            return None
        start = start_level(loss)
        return 1.0 - late_level(loss) / start if start > 0 else None


def observed(curve: Curve, value: float, threshold: float | None, source: str, layer: str = "run") -> Evidence:
    """Note an observation of a layer.

    Args:
        curve: The curve it was made on.
        value: The number found.
        threshold: What it was held against.
        source: What both are, and where the threshold comes from.
        layer: Whose curve it is; named in the source.

    Returns:
        The evidence.
    """
    return curve.evidence(value, threshold, source if layer == "run" else f"{layer}: {source}")


def start_level(curve: Curve) -> float:
    """Take the level a curve begins at.

    Args:
        curve: At least one value.

    Returns:
        The median of its first three values.
    """
    return float(np.median(curve.values[:_FEW]))


def late_level(curve: Curve) -> float:
    """Take the level a curve has come to.

    Args:
        curve: At least one value.

    Returns:
        The median of its last third, of at most 50 values.
    """
    return float(np.median(curve.values[-max(1, min(50, len(curve) // 3)) :]))
