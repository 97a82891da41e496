"""Whether a task keeps its contract, a point a function; `check.py` has their order."""
