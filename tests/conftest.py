"""Fixtures that many tests use."""
