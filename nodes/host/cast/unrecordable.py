"""How an operation that reads more than its arguments says that a recorded CUDA graph must not replay it."""

import torch

UNRECORDABLE = [tag for tag in (getattr(torch.Tag, "cudagraph_unsafe", None),) if tag is not None]
