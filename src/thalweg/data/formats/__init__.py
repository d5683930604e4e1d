"""One format a file: arrays, tables, recordings, series, read strictly; nothing in them is executed."""
