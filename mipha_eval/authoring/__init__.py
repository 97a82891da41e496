"""What helps the author of a benchmark or a model: beginning one, and looking at it."""
