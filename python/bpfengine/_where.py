# SPDX-License-Identifier: MIT
"""Conditions of flows."""

from __future__ import annotations

import ctypes
from typing import Optional

from ._flow import Flow
from ._layout import bpe_error
from ._library import check, encode, lib


class Where:
    """A condition of flows, as 'name like "*.example.com" and rtt > 100ms': bpfengine-where(7).

    The option where of Engine and flows() takes the text of a condition as well.
    """

    def __init__(self, condition: str) -> None:
        self.condition = condition
        self.pointer: Optional[int] = None
        where, error = ctypes.c_void_p(), bpe_error()
        check(
            lib.bpe_where_compile(encode(condition), ctypes.byref(where), ctypes.byref(error)),
            error,
        )
        self.pointer = where.value

    def matches(self, flow: Flow) -> bool:
        """Whether the flow's record matches."""
        return bool(lib.bpe_where_match(self.pointer, flow.record))

    def __del__(self) -> None:
        lib.bpe_where_free(self.pointer)

    def __repr__(self) -> str:
        return f"<bpfengine.Where {self.condition!r}>"
