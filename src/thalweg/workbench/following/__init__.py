"""Runs looked at and stopped from outside."""
