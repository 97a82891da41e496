"""What tells an author whether a benchmark or a model is as it should be, before it costs anything."""
