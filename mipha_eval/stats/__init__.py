"""Intervals, standard errors and tests over clusters (images), for any metric; see docs/statistics.md."""
