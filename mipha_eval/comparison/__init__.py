"""Runs compared on the questions that they share; see docs/statistics.md."""
