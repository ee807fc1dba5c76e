# SPDX-License-Identifier: MIT
"""Handlers in Python, called by the library: exceptions are kept, and raised again later."""

from __future__ import annotations

import sys
import threading
from typing import Any, Callable, List, Optional, Type

from ._batch import Batch
from ._flow import Flow, copy_record
from ._layout import bpe_batch, bpe_batch_fn, bpe_flow_fn, bpe_notice_fn
from ._library import Handle, decode
from ._options import NoticeHandler, Settings, log_notice

BatchHandler = Callable[[Batch], object]
FlowHandler = Callable[[Flow], object]


class Calls:
    """What the handlers of an engine or capture share.  The first exception ends the run."""

    def __init__(self) -> None:
        self.raised: Optional[BaseException] = None
        self.stop: Callable[[], object] = lambda: None
        self.find_handle: Callable[[], Optional[Handle]] = lambda: None
        self._lock = threading.Lock()
        self._functions: List[Any] = []

    def keep(self, error: Optional[BaseException]) -> None:
        """Keeps a handler's exception and asks for the end of the run."""
        with self._lock:
            if self.raised is None:
                self.raised = error
        self.stop()

    def raise_kept(self) -> None:
        """Raises the exception of a handler, if there is one."""
        if self.raised is not None:
            raise self.raised

    def make_batch(self, call: BatchHandler, has_flows: bool) -> Any:
        """The callback for on_batch."""

        def on_batch(_: Any, address: int) -> None:
            if self.raised is not None:
                return
            batch: Optional[Batch] = None
            try:
                batch = Batch(self.find_handle(), bpe_batch.from_address(address), has_flows)
                call(batch)
            except BaseException as error:  # an exception must not leave through C
                self.keep(error)
            finally:
                if batch is not None:
                    batch._end()

        return bpe_batch_fn(on_batch)

    def make_notice(self, handler: Optional[NoticeHandler]) -> Any:
        """The callback for on_notice; without a handler notices go to the log."""
        call = handler or log_notice

        def on_notice(_: Any, text: bytes) -> None:
            try:
                call(decode(text))
            except BaseException as error:  # an exception must not leave through C
                self.keep(error)

        self._functions.append(on_notice)
        return bpe_notice_fn(on_notice)

    def make_flow(self, call: Callable[[Any], object], make: Callable[[bytes], Any] = Flow) -> Any:
        """A callback that gets flows, made of a copy of the record; not called for NULL."""

        def on_flow(_: Any, address: Optional[int], worker: int) -> None:
            if not address or self.raised is not None:
                return
            try:
                call(make(copy_record(address)))
            except BaseException as error:  # an exception must not leave through C
                self.keep(error)

        self._functions.append(on_flow)
        return bpe_flow_fn(on_flow)

    def set_flow(self, settings: Settings, name: str, call: Optional[FlowHandler]) -> None:
        """Sets a handler of flows, if there is one."""
        if call is not None:
            settings.set_callback(name, self.make_flow(call))


class Guard:
    """Keeps an exception that a handler on the main thread has before its first statement.

    Ctrl-C during a call of the library is answered with the next statement in Python.  That may be
    the first of a handler, where ctypes prints the exception and drops it.
    """

    __slots__ = ("_calls", "_previous")

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._previous: Any = None

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._previous = sys.unraisablehook
            sys.unraisablehook = self._look

    def __exit__(self, kind: Optional[Type[BaseException]], *_: Any) -> None:
        if self._previous is not None:
            sys.unraisablehook, self._previous = self._previous, None

    def _look(self, told: Any) -> None:
        functions = self._calls._functions
        text = told.err_msg or ""  # from Python 3.13 on the function stands in the message alone
        # an older capture may be collected just now
        is_close = getattr(told.object, "__name__", "") == "__del__"
        if is_close or told.object in functions or any(repr(f) in text for f in functions):
            self._calls.keep(told.exc_value)
        elif self._previous is not None:
            self._previous(told)
