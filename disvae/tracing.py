"""Whether a computation runs as it stands, or is traced: compiled, vectorised or differentiated."""

import torch


def is_traced() -> bool:
    """Whether ``torch.compile``, ``torch.func`` or an export looks on: values mean nothing then."""
    functorch: bool = torch._C._are_functorch_transforms_active()
    return functorch or torch.compiler.is_compiling() or torch.jit.is_tracing()
