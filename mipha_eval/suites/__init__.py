"""What other suites write and read, pure of models and of stored runs."""
