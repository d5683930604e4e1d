"""Samples that came as numbers: read once, stored as they were measured, mapped into memory."""
