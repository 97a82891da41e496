"""Model adapters, one a file; the file's name is the model's name. presets.toml gives names to adapters with options."""
