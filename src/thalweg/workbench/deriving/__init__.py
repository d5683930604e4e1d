"""What `derive` reads and writes."""
