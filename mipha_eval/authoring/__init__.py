"""What helps the author of a benchmark or a model: beginning one, looking at it, and checking it before it costs anything."""
