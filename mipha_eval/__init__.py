"""mipha-eval: exact, fast and honest evaluation of multimodal models."""

from pathlib import Path

__version__ = "0.1.0"

# tasks and model adapters are part of this package: a wheel has them inside it, a checkout beside it
if not Path(__path__[0], "tasks").is_dir():
    __path__.append(str(Path(__path__[0]).parent))
