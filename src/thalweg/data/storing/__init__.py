"""What was decoded is kept: the user's cache of pictures, and its disk."""
