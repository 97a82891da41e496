"""Answers from a benchmark's own labels: what floors know."""
