"""The order of the work, a file a verb."""
