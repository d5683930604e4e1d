"""From samples to tensors: order, augmentation, conversion, as functions of seed, epoch and batch."""
