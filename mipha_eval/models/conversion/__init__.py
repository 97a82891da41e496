"""Checkpoints written anew: as safetensors, in transformers' layout, in LLaVA's own."""
