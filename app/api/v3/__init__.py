"""The two v3 dialects over HTTP: print jobs and analytics jobs."""
