"""The torch side of a network's description: its layers as modules, and the whole as one ordinary module."""
