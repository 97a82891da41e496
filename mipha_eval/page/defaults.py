"""Megabytes of a page where nothing else is said; apart, so that a command line starts without the rest."""

VIEW = 100.0  # a browser opens that within two seconds
SITE_RUN = 30.0  # a run's page on a leaderboard's site
