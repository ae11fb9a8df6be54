"""Which precision training computes in, on the processor that it meets."""

import math
import os
import platform
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal

import torch

# "16-mixed" needs a loss scaler, whose state would have to be part of the checkpoint.
Precision = Literal["auto", "32-true", "tf32", "bf16-mixed", "bf16-true", "64-true"]

# bfloat16 changes numbers, so it must be faster by more than a trial's noise.
WORTH_IT = 0.96
# From here on oneDNN, which multiplies matrices on CPUs, uses a processor's bfloat16.
_NATIVE_ISA = ("AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX512_CORE_AMX", "AVX10", "DEFAULT", "ALL")


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 by instructions of its own.

    On a CPU these are AVX512-BF16, AMX or Arm's BF16, as far as the limits in the environment
    variables ``ONEDNN_MAX_CPU_ISA``, ``DNNL_MAX_CPU_ISA`` and ``ATEN_CPU_CAPABILITY`` permit.
    Elsewhere PyTorch emulates it, which is correct, but can be many times slower than float32.
    """
    if device.type == "cuda":
        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and _cpu_has_bfloat16() and not _limited()


def _cpu_has_bfloat16() -> bool:
    if not torch.backends.mkldnn.is_available():
        return False
    if platform.machine().lower() in ("aarch64", "arm64"):
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    # They are not public, but of every release since 2.6.
    names = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, bool)() for name in names)


def _limited() -> bool:
    """Whether the environment keeps PyTorch from using these instructions."""
    names = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
    limit = next((os.environ[name] for name in names if os.environ.get(name)), "DEFAULT")
    kernels = os.environ.get("ATEN_CPU_CAPABILITY", "")
    return not limit.upper().startswith(_NATIVE_ISA) or kernels.lower() in ("default", "avx2")


def faster_precision(
    device: torch.device, seconds: Callable[[Precision], float]
) -> tuple[Precision, str]:
    """Choose between float32 and bfloat16, which is taken only where it is faster.

    Args:
        device: nothing is timed where it does not multiply bfloat16.
        seconds: of a step in a precision; infinity if it cannot be taken.

    Returns:
        The precision, and the reason in words.
    """
    if not has_bfloat16(device):
        return "32-true", "this device has no instructions for bfloat16"
    full, low = seconds("32-true"), seconds("bf16-mixed")
    if not (math.isfinite(low) and math.isfinite(full)):
        return "32-true", "this model or loss cannot be trained in bfloat16"
    ratio = low / full
    if ratio > WORTH_IT:
        return "32-true", f"in bfloat16 a step takes {ratio:.2f} times as long"
    return "bf16-mixed", f"a step takes {ratio:.2f} times as long as in float32"


def warn_of_emulation(
    precision: Precision, device: torch.device, seconds: Callable[[Precision], float]
) -> None:
    """Warn if a precision is emulated and for that slower than float32, and say how much.

    Args:
        precision: chosen by the user.
        device: of training; of others than CPUs and NVIDIA's GPUs nothing is known.
        seconds: of a step in a precision; infinity if it cannot be taken.
    """
    known = device.type in ("cpu", "cuda")
    if not precision.startswith("bf16") or not known or has_bfloat16(device):
        return
    full, low = seconds("32-true"), seconds(precision)
    if math.isfinite(low) and low > full:
        warnings.warn(
            f"bfloat16 is emulated on this processor: a step takes {low / full:.1f} times as long "
            "as in float32; precision='auto' (--precision auto) in another run_dir decides anew",
            stacklevel=2,
        )


def of_fabric(precision: Precision) -> Any:
    """Return the name that Lightning Fabric has for it, before "auto" is decided."""
    return "32-true" if precision in ("auto", "tf32") else precision


def autocast(precision: Precision, device: torch.device) -> Any:
    """Return Fabric's form of "32-true" or "bf16-mixed", between which weights are the same."""
    from lightning_fabric.plugins import MixedPrecision
    from lightning_fabric.plugins import Precision as Full

    return MixedPrecision("bf16-mixed", device.type) if precision == "bf16-mixed" else Full()


@contextmanager
def multiplying_in(precision: Precision) -> Iterator[None]:
    """Have a GPU multiply float32 numbers as they are, or as TensorFloat-32 if it is to.

    PyTorch's own default is TensorFloat-32, of 10 bits of mantissa, in convolutions alone. And its
    convolutions may add in another order each time, which a run that is to go on exactly cannot.

    Args:
        precision: "tf32" for TensorFloat-32 in convolutions and in products of matrices.
    """
    cudnn = torch.backends.cudnn
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic
    low = precision == "tf32"
    torch.set_float32_matmul_precision("high" if low else "highest")
    cudnn.allow_tf32, cudnn.deterministic = low, True
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32, cudnn.deterministic = before[1:]
