"""Files and what their names say: walks through folders, kinds of files, parts, patients."""
