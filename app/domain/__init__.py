"""The rules of jobs, pure: no I/O, no clock, no framework. Time and ids are passed in."""
