"""Finding tasks and models, checking what they hand over, and telling whose fault an error is."""
