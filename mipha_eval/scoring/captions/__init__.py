"""Image captions: tokens, the measures of COCO's evaluation, and what caption benchmarks have in common."""
