"""Independent step-by-step versions of the official benchmark scorers, used to certify another implementation."""
