"""lmms-eval both ways: its tasks through this engine, and these models in it."""
