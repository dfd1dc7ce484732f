"""How exactly to compute: bfloat16 and TF32 where the hardware is fast with them, float32 everywhere else."""

import torch


def use_half(precision: str, device: torch.device) -> bool:
    """Whether to compute in bfloat16: as asked, or, by "auto", where the device has instructions for it.

    On CUDA it also lets float32 products of a run that is not asked for float32 use TF32. Weights, their updates and
    the loss stay in float32 always.
    """
    if device.type == "cuda":
        torch.set_float32_matmul_precision("highest" if precision == "float32" else "high")
        torch.backends.cudnn.allow_tf32 = precision != "float32"  # the recurrent nets are cuDNN's
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    has: dict[str, bool] = getattr(torch.cpu, "get_capabilities", dict)()
    return bool(has.get("avx512_bf16") or has.get("amx_bf16"))
