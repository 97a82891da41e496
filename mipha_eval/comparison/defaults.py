"""How runs are compared where nothing else is said; apart, so that a command line starts without the rest."""

RESAMPLES = 10_000
ALPHA = 0.05
