"""The bodies of the two v3 dialects, print jobs and analytics jobs, and the ids they share."""
