"""Turns requests into responses: equal ones once, those about one image together, in batches."""
