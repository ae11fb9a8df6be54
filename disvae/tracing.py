"""Whether a computation runs as it stands, or is traced: compiled, vectorised or differentiated."""

import torch


def is_traced() -> bool:
    """Whether ``torch.compile`` or ``torch.func`` looks on: values cannot be read then."""
    functorch: bool = torch._C._are_functorch_transforms_active()
    return torch.compiler.is_compiling() or functorch
