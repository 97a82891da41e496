"""mipha-eval: exact, fast and honest evaluation of multimodal models."""

__version__ = "0.1.0"
