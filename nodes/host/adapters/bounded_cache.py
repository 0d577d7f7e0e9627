"""Tensors kept by key up to a number of bytes; what was asked for longest ago goes first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable

from torch import Tensor


class BoundedCache:
    """In memory alone, on the CPU. One tensor larger than the bound is not kept at all."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> Tensor | None:
        """What was kept under a key, or None."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Hashable, value: Tensor) -> None:
        """Keep a copy of a tensor on the CPU, and let go of older ones to stay within the bound."""
        value = value.detach().to("cpu", copy=True)
        with self._lock:
            self._kept[key] = value
            self._kept.move_to_end(key)
            while self._kept and self._bytes() > self.most_bytes:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Let go of everything."""
        with self._lock:
            self._kept.clear()

    @property
    def bytes(self) -> int:
        """How much is kept now."""
        with self._lock:
            return self._bytes()

    def __len__(self) -> int:
        return len(self._kept)

    def _bytes(self) -> int:
        return sum(tensor.nbytes for tensor in self._kept.values())
