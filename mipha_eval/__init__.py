"""mipha-eval: exact, fast and honest evaluation of multimodal models."""

import logging

__version__ = "0.1.0"

# what the library says is for whoever sets logging up, such as the command line
logging.getLogger(__name__).addHandler(logging.NullHandler())
