"""easy-VQA as a benchmark of mipha-eval."""
