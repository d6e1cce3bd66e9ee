"""Use cases of the two v3 dialects, on the jobs of one item."""
