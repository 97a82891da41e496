"""What an author of a benchmark or a model is told before anything is paid for."""
