"""Where benchmark files are and how they are read."""
