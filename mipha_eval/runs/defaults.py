"""How a run is made where nothing else is said; apart, so that a command line starts without the rest."""

OUTPUT = "results/runs"
MAX_NEW_TOKENS = 128  # of an answer to a question file, which does not say it
