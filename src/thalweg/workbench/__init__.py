"""The one place where the rooms meet: one short file a public verb."""
