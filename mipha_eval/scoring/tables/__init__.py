"""Benchmarks that are a table of questions and nothing else."""
