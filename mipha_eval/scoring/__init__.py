"""From answers to numbers: reading answer files and answers, metrics of benchmarks, certificates."""
