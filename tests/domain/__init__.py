"""Tests of the rules, without a database, a clock or a socket."""
