"""Tests of the clients, against a scripted server and against the real one."""
