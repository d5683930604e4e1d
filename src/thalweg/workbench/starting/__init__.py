"""What is decided before the first step: the network, its weights, its learning rate, its sizes."""
