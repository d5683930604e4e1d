"""From a recorded history to findings: features, the estimate of the learning rate, and one rule a finding."""
