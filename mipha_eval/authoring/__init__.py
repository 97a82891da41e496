"""What helps the author of a benchmark or a model: to begin one, to look at it, and to check it before it costs anything."""
