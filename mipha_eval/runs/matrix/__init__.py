"""Many models on the same tasks: a file of them, a process each, one table of all."""
