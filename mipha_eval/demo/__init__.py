"""Embedded demo: drawn scenes in each benchmark's own file format, and the Mipha-Tiny checkpoint."""
