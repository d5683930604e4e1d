"""From what the user named to labelled samples, split and described: the way in that every verb shares."""
