"""Optional packages: which extra installs them, and the error that names it."""

from importlib.util import find_spec

# Of each extra, the modules that disvae imports where it needs them.
EXTRAS = {
    "explore": ("gradio",),
    "hub": ("huggingface_hub",),
    "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "ssim": ("torchmetrics",),
    "tensorboard": ("tensorboard",),
    "umap": ("umap",),
    "video": ("imageio_ffmpeg",),
}


class MissingExtraError(ImportError, ValueError):
    """A package that only an extra installs is missing; the command shows it in one line."""


def has(extra: str) -> bool:
    """Return whether everything that an extra installs is there."""
    return _missing(extra) is None


def need(extra: str, purpose: str) -> None:
    """Raise an error that names the extra, unless it is installed.

    Args:
        extra: a key of :data:`EXTRAS`.
        purpose: subject of the sentence "... needs the package ...".

    Raises:
        MissingExtraError: if a package of the extra is missing.

    Example:
        >>> need("umap", "UMAP")  # doctest: +SKIP
        MissingExtraError: UMAP needs the package umap: pip install 'disvae[umap]'
    """
    missing = _missing(extra)
    if missing:
        raise MissingExtraError(
            f"{purpose} needs the package {missing}: pip install 'disvae[{extra}]'", name=missing
        )


def _missing(extra: str) -> str | None:
    """The first module of an extra that cannot be found, without importing any."""
    return next((module for module in EXTRAS[extra] if find_spec(module) is None), None)
