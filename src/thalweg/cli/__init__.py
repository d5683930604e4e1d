"""The command line: one file a group of commands; each parses, asks the workbench, and shows the answer."""
