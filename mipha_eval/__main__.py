"""``python -m mipha_eval`` is ``mipha-eval``."""

from mipha_eval.cli.app import main

main()
