"""A run's answers as other suites would have written them, a file a suite."""
