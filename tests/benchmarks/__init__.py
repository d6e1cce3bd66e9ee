"""Measurements of the whole server beside yardsticks taken in the same run; see README.md in this folder."""
