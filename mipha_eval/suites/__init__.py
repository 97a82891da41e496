"""Where this suite meets others."""
