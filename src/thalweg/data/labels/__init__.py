"""Classes that stand in tables and lists instead of folders."""
