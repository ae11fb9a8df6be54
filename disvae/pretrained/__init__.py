"""Small trained models that come with the package."""

from disvae.pretrained.packed import load_pretrained, pretrained_names

__all__ = ["load_pretrained", "pretrained_names"]
