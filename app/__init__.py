"""Stepgate: a real-time notification gateway and API for workflow jobs."""
