"""Benchmarks that are scored by a published rule: what is left to say is where the questions are."""
