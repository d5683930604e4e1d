"""From a folder, an archive or a link to batches: everything between the user's pictures and the network.

`source` opens what the user named, `scan` finds classes and files in it, `split` decides what is held out; the other
files decode, check, cache and batch the pictures. Nothing in the user's folder is ever written.
"""
