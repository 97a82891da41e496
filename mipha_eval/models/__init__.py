"""Models of transformers: prompts, pixels, shared prefixes, decoding."""
