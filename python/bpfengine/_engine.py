# SPDX-License-Identifier: MIT
"""The engine: threads of the library read, parse and keep flows; handlers are called from them."""

from __future__ import annotations

import atexit
import ctypes
import math
import select
import threading
import time
import weakref
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Dict, Iterable, Iterator, List, Optional, Type, Union

from ._calls import BatchHandler, Calls, FlowHandler
from ._capture import SLICE_NS
from ._columns import Columns, FlowColumns, fill_batches
from ._enums import Order, Status
from ._filter import Filter
from ._flow import ALL_TIMES, Flow, ask_largest, copy_record
from ._layout import (
    Options,
    bpe_error,
    bpe_meta,
    bpe_packet,
    bpe_protocol,
    bpe_stats,
    bpe_worker_stats,
)
from ._library import Error, Handle, check, decode, encode, lib
from ._options import NoticeHandler, Settings, Source
from ._push import Pushed, make_packets
from ._stats import protocol_dicts, stats_dict, worker_dict

if TYPE_CHECKING:
    from typing_extensions import Unpack


# Engines that may run when the interpreter ends; their threads must not enter it then.
_running: "weakref.WeakSet[Engine]" = weakref.WeakSet()


class Engine:
    """A capture with threads of its own, for flows and statistics.

        def show(flow):
            print(flow["src"], flow["dst"], sum(flow["wire_bytes"]))

        with bpfengine.Engine("en0", on_flow=show) as engine:
            engine.run(seconds=10)

    source, interface, file and filter are as for Capture; other options have the names of struct
    bpe_options.  Handlers run on threads of the library: on_batch and on_flow on the workers',
    on_record, one call at a time, on the output thread.  on_flow_open and on_flow_update run where
    on_flow does.  The first exception of a handler ends the
    run; run() and wait() raise it again.  Ctrl-C ends run() and wait() at once: the run is
    stopped, what was read is delivered, and KeyboardInterrupt goes on.
    """

    def __init__(
        self,
        source: Optional[Source] = None,
        *,
        interface: Optional[str] = None,
        file: Optional[Source] = None,
        memory: Optional[bytes] = None,
        filter: Union[str, Filter, None] = None,
        on_batch: Optional[BatchHandler] = None,
        on_flow: Optional[FlowHandler] = None,
        on_record: Optional[FlowHandler] = None,
        on_flow_open: Optional[FlowHandler] = None,
        on_flow_update: Optional[FlowHandler] = None,
        on_notice: Optional[NoticeHandler] = None,
        pull_records: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self._handle: Optional[Handle] = None
        self._pulls = pull_records
        self._started = False
        self._calls = Calls()
        settings = Settings(source, interface, file, filter, memory)
        settings.set(dict(options))
        settings.set_callback("on_notice", self._calls.make_notice(on_notice))
        self._set_handlers(settings, on_batch)
        settings.struct.pull_records = pull_records
        self._calls.set_flow(settings, "on_record", on_record)
        self._calls.set_flow(settings, "on_flow", on_flow)
        self._calls.set_flow(settings, "on_flow_open", on_flow_open)
        self._calls.set_flow(settings, "on_flow_update", on_flow_update)
        handle = settings.open(lib.bpe_engine_open, lib.bpe_engine_close)
        self._calls.raise_kept()
        self._handle = handle
        self._calls.find_handle = weakref.ref(handle)
        self._calls.stop = partial(lib.bpe_engine_stop, handle.pointer)
        _running.add(self)

    def _set_handlers(
        self,
        settings: Settings,
        on_batch: Optional[BatchHandler],
    ) -> None:
        calls, struct = self._calls, settings.struct
        if on_batch is not None:
            has_flows = bool(struct.flows) and not struct.count_only
            settings.set_callback("on_batch", calls.make_batch(on_batch, has_flows))

    def _alive(self) -> Handle:
        if self._handle is None:
            raise Error("the engine is closed", Status.E_STATE)
        return self._handle

    def start(self) -> None:
        """Starts the threads and returns."""
        handle, error = self._alive(), bpe_error()
        was_started, self._started = self._started, True
        status = lib.bpe_engine_start(handle.pointer, ctypes.byref(error))
        if status < 0:
            self._started = was_started
            check(status, error)

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Waits until the run has ended; False if so many seconds passed.  Raises the exception of
        a handler, or the Error that cut the run short, when the run has ended.  Ctrl-C stops the
        run, waits for its end and raises KeyboardInterrupt.  With pull_records the records come
        first: the end may wait until they were taken."""
        handle = self._alive()
        try:
            if not self._wait_slices(handle, timeout):
                return False
        except KeyboardInterrupt:
            self._finish(handle)
            raise
        self._raise_result(handle)
        return True

    def _wait_slices(self, handle: Handle, timeout: Optional[float]) -> bool:
        deadline = math.inf if timeout is None else time.monotonic_ns() + timeout * 1e9
        while True:
            slice_ns = max(0, min(SLICE_NS, deadline - time.monotonic_ns()))
            if lib.bpe_engine_wait(handle.pointer, int(slice_ns)):
                return True
            if not self._started:
                raise Error("the engine was not started", Status.E_STATE)
            if time.monotonic_ns() >= deadline:
                return False

    def _raise_result(self, handle: Handle) -> None:
        self._calls.raise_kept()
        error = bpe_error()
        check(lib.bpe_engine_result(handle.pointer, ctypes.byref(error)), error)

    def stop(self) -> None:
        """Asks the run to end and returns at once.  Any thread, handlers, and handlers of
        signals."""
        handle = self._handle
        if handle is not None:
            lib.bpe_engine_stop(handle.pointer)

    def run(self, seconds: Optional[float] = None) -> None:
        """Starts the engine, waits for the end of the source, or at most so many seconds, and
        stops the engine.  Not with pull_records, where the program must take the records."""
        if self._pulls:
            raise Error("with pull_records, take the records by records()", Status.E_STATE)
        handle = self._alive()
        try:
            self.start()
            if not self.wait(seconds):
                self.stop()
                self.wait()
        except KeyboardInterrupt:
            self._finish(handle)
            raise

    def records(self) -> Iterator[Flow]:
        """The flows as they end, until the run has ended, on the caller's thread.  Needs
        pull_records; starts the engine if it was not started.  Ctrl-C is answered as in wait()."""
        if not self._pulls:
            raise Error("records() needs the engine opened with pull_records=True", Status.E_STATE)
        handle = self._alive()
        waiting = select.poll()
        waiting.register(lib.bpe_engine_records_fd(handle.pointer), select.POLLIN)
        found, error = ctypes.c_void_p(), bpe_error()
        take, slots = lib.bpe_engine_next_record, (ctypes.byref(found), ctypes.byref(error))
        try:
            if not self._started:
                self.start()
            while (n := take(handle.pointer, *slots)) != Status.E_END:
                if check(n, error):
                    yield Flow(copy_record(found.value or 0))
                else:
                    waiting.poll(SLICE_NS // 1_000_000)
        except KeyboardInterrupt:
            self._finish(handle)
            raise
        self._finish(handle)
        self._raise_result(handle)

    def columns(self, rows: int = 65536) -> Iterator[Columns]:
        """The flows as they end, as columns of Apache Arrow with so many rows each, the last with
        fewer.  Needs pull_records; starts the engine if it was not started.  The Error that cut
        the run short comes behind the last columns."""
        if not self._pulls:
            raise Error("columns() needs the engine opened with pull_records=True", Status.E_STATE)
        handle = self._alive()
        try:
            if not self._started:
                self.start()
            yield from fill_batches(handle.pointer, rows)
        except KeyboardInterrupt:
            self._finish(handle)
            raise
        self._finish(handle)
        self._raise_result(handle)

    def _finish(self, handle: Handle) -> None:
        """Stops the run and waits for its end; records that nobody took are dropped."""
        # An interrupt may have come right before the start: a second start is refused.
        status = lib.bpe_engine_start(handle.pointer, None)
        if status < 0 and status != Status.E_STATE:
            return
        lib.bpe_engine_stop(handle.pointer)
        if lib.bpe_engine_current() == handle.pointer.value:  # the end waits for this handler
            return
        found, error = ctypes.c_void_p(), bpe_error()
        slots = (ctypes.byref(found), ctypes.byref(error))
        while self._pulls:
            n = lib.bpe_engine_next_record(handle.pointer, *slots)
            if n == Status.E_END:
                break
            if not check(n, error):
                lib.bpe_engine_wait(handle.pointer, SLICE_NS // 10)
        self._wait_slices(handle, None)

    def push(self, packets: Iterable[Pushed], timeout: Optional[float] = None) -> int:
        """Gives packets of the program's own to an engine with push=True: bytes, or Push with a
        time.  They are copied.  Starts the engine if it was not started.  Waits for room, at most
        so many seconds; returns how many were taken: fewer if the time passed or the run ended.
        Any thread."""
        array, count, _memory = make_packets(packets)
        handle, error = self._alive(), bpe_error()
        if not self._started:
            self.start()
        size, push = ctypes.sizeof(bpe_packet), lib.bpe_engine_push_sized
        deadline = math.inf if timeout is None else time.monotonic_ns() + timeout * 1e9
        taken = 0
        while taken < count:
            wait_ns = int(max(0, min(SLICE_NS, deadline - time.monotonic_ns())))
            left = ctypes.byref(array, taken * size)
            sizes = (size, ctypes.sizeof(bpe_meta), count - taken, wait_ns)
            taken += check(push(handle.pointer, left, *sizes, ctypes.byref(error)), error)
            if time.monotonic_ns() >= deadline or lib.bpe_engine_wait(handle.pointer, 0):
                break
        return taken

    def push_end(self) -> None:
        """Says that no more packets will be pushed: the run ends when all are read.  Any thread,
        handlers included."""
        error = bpe_error()
        check(lib.bpe_engine_push_end(self._alive().pointer, ctypes.byref(error)), error)

    def set_filter(self, filter: Union[str, Filter, None]) -> None:
        """Replaces the filter while the engine runs.  Any thread, handlers included."""
        handle, error = self._alive(), bpe_error()
        where = ctypes.byref(error)
        if filter is None or isinstance(filter, Filter):
            program, length = (filter.pointer, len(filter)) if filter is not None else (None, 0)
            result = lib.bpe_engine_set_filter(handle.pointer, program, length, where)
        else:
            result = lib.bpe_engine_set_expression(handle.pointer, encode(filter), where)
        check(result, error)

    def stats(self) -> Dict[str, Any]:
        """Every counter of struct bpe_stats, at any time before close().  Any thread."""
        found = bpe_stats()
        lib.bpe_engine_stats_sized(self._alive().pointer, ctypes.byref(found), ctypes.sizeof(found))
        return stats_dict(found)

    def worker_stats(self) -> List[Dict[str, Any]]:
        """The counters of each worker.  Without workers, those of the reading thread."""
        handle = self._alive()
        out: List[Dict[str, Any]] = []
        found = bpe_worker_stats()
        size = ctypes.sizeof(found)
        ask = lib.bpe_engine_worker_stats_sized
        while ask(handle.pointer, len(out), ctypes.byref(found), size) >= 0:
            out.append(worker_dict(found))
        return out

    def protocols(self, count: int = 256) -> List[Dict[str, Any]]:
        """Lines of the protocol table: name, packets, bytes; most packets first.  Any thread."""
        found = (bpe_protocol * count)()
        size = ctypes.sizeof(bpe_protocol)
        handle = self._alive()
        total = lib.bpe_engine_protocols_sized(handle.pointer, ctypes.byref(found), size, count)
        return protocol_dicts(found, min(total, count))

    def largest_flows(
        self, count: int = 10, order: Union[Order, str] = "bytes", since_ns: int = ALL_TIMES
    ) -> List[Flow]:
        """The largest live flows, by "bytes" or "packets"; those with a packet since since_ns.
        Any thread but the engine's own."""
        ask = lib.bpe_engine_largest_flows_sized
        return ask_largest(ask, self._alive(), count, order, since_ns)

    def dump_flows(self, on_flow: FlowHandler) -> None:
        """Hands over every live flow once while the run goes on, and returns at once.  on_flow
        runs on the workers' threads.  Any thread."""
        handle = self._alive()
        callback = self._calls.make_flow(on_flow)
        check(lib.bpe_engine_dump_flows(handle.pointer, callback, None))
        handle.keep(callback)

    @property
    def source(self) -> str:
        """A description of the source."""
        return decode(lib.bpe_engine_source(self._alive().pointer))

    @property
    def link_type(self) -> str:
        """The name of the link type of the first interface."""
        return decode(lib.bpe_engine_link_type(self._alive().pointer))

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._handle is None

    def close(self) -> None:
        """Stops the run, waits for its end and frees the engine.  A handler of this engine does
        not wait: another thread frees the engine."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        _running.discard(self)
        if self._started:
            self._finish(handle)

    def __enter__(self) -> "Engine":
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


def flows(
    source: Optional[Source] = None,
    *,
    seconds: Optional[float] = None,
    **wanted: Any,
) -> Iterator[Flow]:
    """The flows of a source, each as it ends; after so many seconds the run is stopped, and the
    live flows come.  wanted: the parameters of Engine."""
    with Engine(source, pull_records=True, **wanted) as engine:
        timer = threading.Timer(seconds, engine.stop) if seconds is not None else None
        engine.start()
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            yield from engine.records()
        finally:
            if timer is not None:
                timer.cancel()


def columns(
    source: Optional[Source] = None,
    *,
    rows: int = 65536,
    errors: str = "raise",
    **wanted: Any,
) -> FlowColumns:
    """The flows of a source as columns of Apache Arrow, for pyarrow, polars, DuckDB and others.

    rows: of each batch.  errors: "raise" gives the failure of a run, as by a damaged savefile,
    behind the last flow; with "keep" the stream ends there, and the failure is in its member error.
    wanted: the parameters of Engine."""
    return FlowColumns(partial(Engine, source, pull_records=True, **wanted), rows, errors)


@atexit.register
def close_running() -> None:
    """Ends the runs that are left when the interpreter ends."""
    for engine in list(_running):
        engine.close()
