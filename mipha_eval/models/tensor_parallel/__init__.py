"""Models whose every layer is cut over several processes, by the plans that transformers has."""
