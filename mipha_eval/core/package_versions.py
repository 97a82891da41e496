"""Versions of what decides answers beside the weights."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("torch", "transformers", "tokenizers", "safetensors", "pillow", "numpy", "datasets")


def package_versions() -> dict[str, str]:
    """Name -> version of those that are installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
