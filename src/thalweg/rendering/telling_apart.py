"""How to tell findings apart that look the same in curves: one cheap test each."""

from collections.abc import Mapping

__all__ = ["HOW_TO_TELL"]

HOW_TO_TELL: Mapping[str, str] = {
    "non_finite": "print the first loss that is no number, and the batch it came from",
    "diverging": "does the training loss end above where it was? then the steps are too long, whatever the reason",
    "overshooting": "look at the first epochs of a run with a tenth of the rate: the jumps are gone if it was the rate",
    "oscillating": "average five neighbouring values: what still swings is no noise",
    "not_learning": "train on 20 pictures alone: a sound network learns them by heart in a few dozen steps",
    "learning_rate_too_high": "repeat the first epochs at a tenth of the rate: it falls at once if that was it",
    "learning_rate_too_low": "repeat the first epochs at three and ten times the rate: it falls faster if that was it",
    "slow_convergence": "compare the first and the last quarter: a fall as steep at the end is not finished",
    "plateau": "go on for as long again, or at three times the rate: a plateau ends, a floor does not",
    "saddle_point": "the smallest eigenvalue of the Hessian is clearly negative there while the gradient is small",
    "noise_floor": "divide the rate by ten: a floor of noise sinks within an epoch, a real one does not",
    "too_few_epochs": "train twice as long: the loss goes on falling as it did",
    "overfitting": "the training loss is far below the validation loss, and more data or augmentation narrows the gap",
    "underfitting": "a wider network or less regularisation lowers the training loss",
    "vanishing_gradient": "norm of the gradient layer by layer: thousands of times smaller at the input",
    "exploding_gradient": "norm of the gradient step by step: it grows many times over before the loss does",
    "dying_relu": "share of units that are zero for every picture of a batch: more than half is too many",
    "saturated_activation": "share of sigmoid or tanh outputs beyond 95 % of their range",
    "input_scale": "smallest, largest, mean and spread of one batch as the network gets it: about 0 and 1 are wanted",
    "wrong_head_or_loss": "as many outputs as classes? softmax or sigmoid exactly once? labels as the loss wants?",
    "frozen_parameters": "compare the weights before and after an epoch, layer by layer: which did not move?",
    "excessive_regularization": "switch weight decay and dropout off for a few epochs: the training loss falls at once",
    "class_imbalance": "compare with always answering the largest class; look at the recall of every class",
    "label_noise": "look at the pictures the network is surest to have right and has wrong",
    "split_leakage": "search for the same or nearly the same pictures on both sides: thalweg check does",
    "batchnorm_mismatch": "evaluate the training pictures in evaluation mode: low there too means statistics that lag",
    "validation_irregular": "evaluate twice on other halves of the split: what differs is noise of a small split",
    "full_batch_like": "how many pictures does a step use? all of them: full batch",
    "mini_batch_like": "double the batch: the fluctuation shrinks by a third if it comes from the batches",
}
"""A test for each finding of the interface's list."""
