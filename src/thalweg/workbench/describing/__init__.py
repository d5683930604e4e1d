"""From what somebody names to a network's description."""
