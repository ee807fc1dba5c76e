# SPDX-License-Identifier: MIT
"""Filters: expressions of pcap-filter(7) as programs of classic BPF."""

from __future__ import annotations

import ctypes
from typing import Any, List, NamedTuple, Optional

from ._enums import Through, Way
from ._layout import bpe_error, bpe_filter_options, bpe_insn
from ._library import check, decode, encode, lib


class Instruction(NamedTuple):
    """An instruction of classic BPF."""

    code: int
    jt: int
    jf: int
    k: int


def make_options(
    link_type: int = 1,
    snaplen: int = 0,
    through: int = 0,
    netmask: Optional[int] = None,
    optimize: bool = True,
    names: bool = True,
    kernel: Optional[str] = None,
    way: int = Way.NOT_TOLD,
) -> bpe_filter_options:
    """struct bpe_filter_options with what is given."""
    options = bpe_filter_options()
    lib.bpe_filter_options_init_sized(ctypes.byref(options), ctypes.sizeof(options))
    options.link_type = link_type
    options.snaplen = snaplen
    options.through = through
    options.has_netmask = netmask is not None
    options.netmask = netmask or 0
    options.unoptimized = not optimize
    options.no_names = not names
    options.kernel = encode(kernel) if kernel else None
    options.way = way
    return options


class Filter:
    """A compiled expression.

    link_type is a LINKTYPE number (1: Ethernet), snaplen the bytes to keep (0: all), through a set
    of Through (encapsulations to look behind), netmask the interface's for "ip broadcast", kernel
    the name of a system that must take the program.  Raises Error for a wrong expression; the
    second and third line of the text show the place.
    """

    __slots__ = ("expression", "pointer", "_length")

    def __init__(
        self,
        expression: str,
        link_type: int = 1,
        snaplen: int = 0,
        through: int = Through(0),
        **more: Any,
    ) -> None:
        self.expression = expression
        self.pointer: Optional[int] = None
        program, length, error = ctypes.c_void_p(), ctypes.c_uint32(), bpe_error()
        options = make_options(link_type, snaplen, through, **more)
        check(
            lib.bpe_filter_compile_with(
                encode(expression),
                ctypes.byref(options),
                ctypes.byref(program),
                ctypes.byref(length),
                ctypes.byref(error),
            ),
            error,
        )
        self.pointer = program.value
        self._length = length.value

    def __len__(self) -> int:
        return self._length

    def run(self, data: bytes, wirelen: Optional[int] = None) -> int:
        """The number of bytes to keep of a packet; 0 refuses it."""
        kept = bytes(data)
        length = len(kept) if wirelen is None else wirelen
        return int(lib.bpe_filter_run(self.pointer, kept, length, len(kept)))

    @property
    def instructions(self) -> List[Instruction]:
        """The program."""
        program = (bpe_insn * self._length).from_address(self.pointer or 0)
        return [Instruction(i.code, i.jt, i.jf, i.k) for i in program]

    def __del__(self) -> None:
        lib.bpe_filter_free(self.pointer)

    def __repr__(self) -> str:
        return f"<bpfengine.Filter {self.expression!r}, {self._length} instructions>"


def explain(expression: str, link_type: int = 1, snaplen: int = 0, **more: Any) -> str:
    """What an expression lets pass, what its program costs and how kernels run it, in English.
    The parameters are those of Filter."""
    options = make_options(link_type, snaplen, **more)
    text, error = ctypes.c_void_p(), bpe_error()
    check(
        lib.bpe_filter_explain(
            encode(expression), ctypes.byref(options), ctypes.byref(text), ctypes.byref(error)
        ),
        error,
    )
    try:
        return decode(ctypes.string_at(text.value or 0))
    finally:
        lib.bpe_filter_text_free(text)
