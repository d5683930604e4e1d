"""What `explain` shows: samples, maps, stages."""
