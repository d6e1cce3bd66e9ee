"""Stepgate's tests: folders mirror ``app``; ``contracts``, ``wire``, ``e2e`` and ``benchmarks`` cut across it."""
