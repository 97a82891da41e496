"""Whether a model keeps what a run relies on, a point a line."""
