# SPDX-License-Identifier: MIT
"""The shared library: finds it, declares its functions, proves that it fits this package."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
import sys
import threading
from typing import Any, List, Optional, Union

from . import _layout
from ._enums import Status
from ._layout import FROZEN, FUNCTIONS, bpe_error

# Without these functions nothing can be called.
REQUIRED = (
    "bpe_version",
    "bpe_struct_size",
    "bpe_options_init_sized",
    "bpe_capture_next_sized",
    "bpe_engine_open",
    "bpe_options_set_source",
    "bpe_proto_name",
    "bpe_tcp_state_name",
)


class Error(Exception):
    """A refusal or failure that the library told.

    status is the library's reason, sys_errno the errno of the system call that failed (or 0), and
    step the name of the step that failed.
    """

    def __init__(
        self,
        text: str,
        status: int = Status.E_ARGUMENT,
        sys_errno: int = 0,
        step: str = "",
    ) -> None:
        super().__init__(text)
        self.status = Status(status) if status in Status._value2member_map_ else status
        self.sys_errno = sys_errno
        self.step = step


class LibraryError(Error, ImportError):
    """The shared library is missing, or does not fit this package."""

    def __init__(self, text: str) -> None:
        Error.__init__(self, text, Status.E_UNSUPPORTED)


def find_candidates() -> List[str]:
    """The libraries to try: BPFENGINE_LIBRARY alone, else the package's own and the system's."""
    named = os.environ.get("BPFENGINE_LIBRARY")
    if named:
        return [named]
    here = os.path.dirname(os.path.abspath(__file__))
    name = "libbpfengine.dylib" if sys.platform == "darwin" else "libbpfengine.so"
    own = os.path.join(here, name)
    if os.path.exists(own):
        return [own]
    found = ctypes.util.find_library("bpfengine")
    return [found] if found else []


class Library:
    """The functions of the shared library as attributes."""

    def __init__(self, path: str) -> None:
        try:
            self._cdll = ctypes.CDLL(path)
        except OSError as error:
            raise LibraryError(f"{path} cannot be loaded: {error}") from None
        self.path = path
        for name, (result, *parameters) in FUNCTIONS.items():
            function = getattr(self._cdll, name, None)
            if function is None:
                continue
            function.restype = result
            function.argtypes = parameters
            setattr(self, name, function)
        self._check()

    def __getattr__(self, name: str) -> Any:
        raise Error(
            f"{self.path} (bpfengine {self.version}) has no {name}: the library is older than "
            f"this package, which was made for {_layout.VERSION}; install a newer library",
            Status.E_UNSUPPORTED,
        )

    @property
    def version(self) -> str:
        """The library's version, "?" if it tells none."""
        tell = self.__dict__.get("bpe_version")
        return tell().decode() if tell else "?"

    def _check(self) -> None:
        missing = [name for name in REQUIRED if name not in self.__dict__]
        if missing:
            raise LibraryError(
                f"{self.path} (bpfengine {self.version}) does not fit this package, which was "
                f"made for {_layout.VERSION}: it has no {', '.join(missing)}; install the library "
                "and the package of one release"
            )
        for name in FROZEN:
            theirs = self.bpe_struct_size(name.encode())
            mine = ctypes.sizeof(getattr(_layout, name))
            if theirs != mine:
                raise LibraryError(
                    f"{self.path} (bpfengine {self.version}) does not fit this package, which was "
                    f"made for {_layout.VERSION}: struct {name} has {theirs} bytes there and "
                    f"{mine} here; install the library and the package of one release"
                )


def load() -> Library:
    """Loads the first library found."""
    candidates = find_candidates()
    if not candidates:
        raise LibraryError(
            "no libbpfengine: install the package as a wheel, which carries the library, or the "
            "library itself, or put its path into BPFENGINE_LIBRARY"
        )
    return Library(candidates[0])


lib = load()


def decode(text: Optional[bytes]) -> str:
    """A text of the library; bytes that are no UTF-8 are kept as surrogates."""
    return (text or b"").decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """A text for the library, as os.fsencode."""
    if "\0" in text:
        raise ValueError("a NUL character inside a text for bpfengine")
    return text.encode("utf-8", "surrogateescape")


def encode_path(path: Union[str, "os.PathLike[str]"]) -> bytes:
    """A path for the library: os.fsencode, but no NUL character."""
    text = os.fsencode(path)
    if b"\0" in text:
        raise ValueError("a NUL character inside a path for bpfengine")
    return text


def check(result: int, error: Optional[bpe_error] = None) -> int:
    """The result of a call, or an Error with the library's own sentence."""
    if result >= 0:
        return result
    text = decode(error.text) if error is not None else ""
    if not text:
        text = decode(lib.bpe_status_text(result))
    if error is None:
        raise Error(text, result)
    raise Error(text, result, error.sys_errno, decode(error.step))


class Handle:
    """An engine or capture of the library.  It is closed when its last owner is gone, and a view
    of its memory is such an owner: no view outlives the memory that it shows."""

    __slots__ = ("pointer", "_close", "_kept", "__weakref__")

    def __init__(self, pointer: ctypes.c_void_p, close: Any, kept: Any) -> None:
        self.pointer = pointer
        self._close = close
        self._kept = [kept]  # options and callbacks, which the library borrows

    def keep(self, borrowed: Any) -> None:
        """Keeps an object that the library borrows until the close."""
        self._kept.append(borrowed)

    def __del__(self) -> None:
        ending = (self._close, self.pointer, self._kept)
        if lib.bpe_engine_current() == self.pointer.value:  # a handler cannot wait for itself
            threading.Thread(None, _close_kept, "bpfengine close", ending).start()
        else:
            _close_kept(*ending)


def _close_kept(close: Any, pointer: ctypes.c_void_p, kept: List[Any]) -> None:
    """Closes an engine or capture, and forgets only then what the library borrows."""
    close(pointer)
    kept.clear()
