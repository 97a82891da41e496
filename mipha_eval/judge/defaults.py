"""How a judge is asked where nothing else is said; apart, so that a command line starts without the rest."""

RUNS = 1
CONCURRENCY = 16
TIMEOUT = 60.0  # seconds
TRIES = 6
