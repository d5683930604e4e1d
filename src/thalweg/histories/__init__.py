"""Other people's training logs, read into `RunHistory`: one reader a file, no torch, nothing executed."""
