"""Beginning a benchmark, a model, or a package of both: files that run at once, made of templates."""
