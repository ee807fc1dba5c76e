# SPDX-License-Identifier: MIT
"""The capture level: batches on the caller's thread."""

from __future__ import annotations

import ctypes
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, List, Optional, Type, Union

from ._batch import Batch
from ._calls import Calls, FlowHandler, Guard
from ._enums import Order, Status
from ._filter import Filter
from ._flow import ALL_TIMES, Flow, ask_largest
from ._layout import (
    Options,
    bpe_batch,
    bpe_error,
    bpe_meta,
    bpe_packet,
    bpe_stats,
)
from ._library import Error, Handle, check, decode, encode, lib
from ._options import NoticeHandler, Settings, Source
from ._push import Pushed, make_packets
from ._stats import stats_dict

if TYPE_CHECKING:
    from typing_extensions import Unpack

# The longest that a call waits inside the library.  Python runs the handlers of signals between
# calls; a signal mostly ends the wait at once, and in any case is answered after this time.
SLICE_NS = 100_000_000


class Capture:
    """An iterator over batches of packets, until the source ends.

        with bpfengine.Capture("trace.pcap", filter="tcp") as capture:
            for batch in capture:
                print(sum(batch.wirelen))

    source is a savefile's path, "-" (standard input), an interface or "synth:..."; file and
    interface say which.  filter is an expression or a Filter.  Other options have the names of
    struct bpe_options.  With on_flow, on_flow_open or on_flow_update the capture keeps flows (the
    option flow_table); the handlers run inside next() and end_flows().  Ctrl-C ends a wait at
    once.  stop() may be called by any thread; other
    methods by one thread at a time.
    """

    def __init__(
        self,
        source: Optional[Source] = None,
        *,
        interface: Optional[str] = None,
        file: Optional[Source] = None,
        memory: Optional[bytes] = None,
        filter: Union[str, Filter, None] = None,
        on_flow: Optional[FlowHandler] = None,
        on_flow_open: Optional[FlowHandler] = None,
        on_flow_update: Optional[FlowHandler] = None,
        on_notice: Optional[NoticeHandler] = None,
        **options: Unpack[Options],
    ) -> None:
        self._handle: Optional[Handle] = None
        self._current: Optional[Batch] = None
        self.ended = False  # the source has ended, or stop() was called
        self._calls = Calls()
        self._guard = Guard(self._calls)
        settings = Settings(source, interface, file, filter, memory)
        settings.set(dict(options))
        settings.set_callback("on_notice", self._calls.make_notice(on_notice))
        for name, handler in (
            ("on_flow", on_flow),
            ("on_flow_open", on_flow_open),
            ("on_flow_update", on_flow_update),
        ):
            self._calls.set_flow(settings, name, handler)
            settings.struct.flow_table |= handler is not None
        self._has_flows = bool(settings.struct.flow_table)
        self._handle = settings.open(lib.bpe_capture_open, lib.bpe_capture_close)
        self._calls.raise_kept()

    def _alive(self) -> Handle:
        if self._handle is None:
            raise Error("the capture is closed", Status.E_STATE)
        return self._handle

    def next(self, timeout: Optional[float] = None) -> Optional[Batch]:
        """The next batch.  None if no packet came within so many seconds, at the end of the source
        and after stop(); ended tells which.  Ends the batch before."""
        deadline = None if timeout is None else time.monotonic_ns() + int(timeout * 1e9)
        handle = self._alive()
        self._end_batch()
        found, error = bpe_batch(), bpe_error()
        size, wait_ns = ctypes.sizeof(found), 0
        while not self.ended:
            with self._guard:
                n = lib.bpe_capture_next_sized(
                    handle.pointer, ctypes.byref(found), size, wait_ns, ctypes.byref(error)
                )
            if self._calls.raised is not None:
                self.ended = True
                del handle  # or the kept exception keeps the frame, and this the memory
                raise self._calls.raised
            if n > 0:
                self._current = Batch(handle, found, self._has_flows)
                return self._current
            if n == Status.E_END:
                self.ended = True
                break
            check(n, error)
            wait_ns = SLICE_NS
            if deadline is not None:
                wait_ns = min(wait_ns, deadline - time.monotonic_ns())
                if wait_ns <= 0:
                    return None
        return None

    def __iter__(self) -> "Capture":
        return self

    def __next__(self) -> Batch:
        batch = self.next()
        if batch is None:
            raise StopIteration
        return batch

    def stop(self) -> None:
        """Ends the iteration: the call that waits returns.  Any thread, and handlers
        of signals."""
        self.ended = True
        handle = self._handle
        if handle is not None:
            lib.bpe_capture_wake(handle.pointer)

    def set_filter(self, filter: Union[str, Filter, None]) -> None:
        """Replaces the filter; no packet is given afterwards that the new filter refuses."""
        handle, error = self._alive(), bpe_error()
        where = ctypes.byref(error)
        if filter is None or isinstance(filter, Filter):
            program, length = (filter.pointer, len(filter)) if filter is not None else (None, 0)
            result = lib.bpe_capture_set_filter(handle.pointer, program, length, where)
        else:
            result = lib.bpe_capture_set_expression(handle.pointer, encode(filter), where)
        check(result, error)

    def largest_flows(
        self, count: int = 10, order: Union[Order, str] = "bytes", since_ns: int = ALL_TIMES
    ) -> List[Flow]:
        """The largest live flows of the option flow_table, by "bytes" or "packets"."""
        ask = lib.bpe_capture_largest_flows_sized
        return ask_largest(ask, self._alive(), count, order, since_ns)

    def end_flows(self) -> int:
        """Ends every live flow and hands each to on_flow.  Later packets open flows anew.  Returns
        the number of flows."""
        handle, error = self._alive(), bpe_error()
        with self._guard:
            n = lib.bpe_capture_end_flows(handle.pointer, ctypes.byref(error))
        self._calls.raise_kept()
        return check(n, error)

    def push(self, packets: Iterable[Pushed]) -> int:
        """Gives packets of the program's own to a capture with push=True: bytes, or Push with a
        time.  They are copied.  Returns how many were taken; if fewer, the buffer is full: take
        batches until next() gives None, then push the others."""
        array, count, _memory = make_packets(packets)
        error, sizes = bpe_error(), (ctypes.sizeof(bpe_packet), ctypes.sizeof(bpe_meta))
        push, where = lib.bpe_capture_push_sized, ctypes.byref(error)
        return check(push(self._alive().pointer, ctypes.byref(array), *sizes, count, where), error)

    def push_end(self) -> None:
        """Says that no more packets will be pushed: the iteration ends when all are read."""
        error = bpe_error()
        check(lib.bpe_capture_push_end(self._alive().pointer, ctypes.byref(error)), error)

    def fileno(self) -> int:
        """A descriptor for select or an event loop: call next(0) until it gives None, then wait.
        Raises Error if the source has none."""
        fd = int(lib.bpe_capture_fd(self._alive().pointer))
        if fd < 0:
            raise Error("this source has no descriptor to wait for", Status.E_UNSUPPORTED)
        return fd

    @property
    def source(self) -> str:
        """A description of the source."""
        return decode(lib.bpe_capture_source(self._alive().pointer))

    @property
    def link_type(self) -> str:
        """The name of the link type, as "EN10MB"."""
        return decode(lib.bpe_capture_link_type(self._alive().pointer))

    def stats(self) -> Dict[str, Any]:
        """Every counter of struct bpe_stats."""
        found = bpe_stats()
        lib.bpe_capture_stats_sized(
            self._alive().pointer, ctypes.byref(found), ctypes.sizeof(found)
        )
        return stats_dict(found)

    def _end_batch(self) -> None:
        if self._current is not None:
            self._current._end()
            self._current = None

    def close(self) -> None:
        """Ends the batch and closes the source.  Slices and numpy arrays over the batch keep the
        memory until they are gone."""
        self._end_batch()
        self._handle = None

    def __enter__(self) -> "Capture":
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
