"""What official evaluation code asks: a model's own prompt for each of a few questions, as that code makes it."""
