"""Models behind servers that speak OpenAI's chat completions: one client, for models that are evaluated and for judges."""
