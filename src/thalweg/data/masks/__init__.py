"""Pictures and the masks that say the class of every pixel: paired, decoded, stored."""
