"""What is odd about a set of pictures: twins, blank ones, classes that a mirror swaps."""
