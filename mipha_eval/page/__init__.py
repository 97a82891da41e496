"""Pages that show stored runs in a browser: pure functions of what a run wrote, without a network or a model."""
