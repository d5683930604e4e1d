"""From what the user named (folder, archive, link, demo) to a folder to read."""
