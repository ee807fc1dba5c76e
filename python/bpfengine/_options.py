# SPDX-License-Identifier: MIT
"""Options by name, as bpe_options has them."""

from __future__ import annotations

import ctypes
import logging
import os
import threading
from typing import Any, Callable, Dict, List, Optional, Union

from ._filter import Filter
from ._layout import (
    OPTION_ENUMS,
    bpe_error,
    bpe_options,
)
from ._library import Handle, check, encode, encode_path, lib

log = logging.getLogger("bpfengine")
NoticeHandler = Callable[[str], None]
Source = Union[str, "os.PathLike[str]"]
_FIELDS: Dict[str, Any] = {field[0]: field[1] for field in bpe_options._fields_}
# What the package sets by parameters of its own.
_OWN = frozenset(
    "struct_size interface_name file filter filter_length filter_expression user "
    "pull_records memory memory_bytes".split()
)


def log_notice(text: str) -> None:
    """The handler of notices unless another is given: the log "bpfengine"."""
    log.warning("%s", text)


class Settings:
    """bpe_options, with the texts, programs and callbacks that the library borrows."""

    def __init__(
        self,
        source: Optional[Source],
        interface: Optional[str],
        file: Optional[Source],
        filter: Union[str, Filter, None],
        memory: Optional[bytes],
    ) -> None:
        if sum(name is not None for name in (source, interface, file, memory)) > 1:
            raise TypeError("give one of source, interface, file and memory")
        self.struct = bpe_options()
        self.kept: List[Any] = [filter]
        lib.bpe_options_init_sized(ctypes.byref(self.struct), ctypes.sizeof(bpe_options))
        if source is not None:
            self._set_source(source)
        if interface is not None:
            self.struct.interface_name = encode(interface)
        if file is not None:
            self.struct.file = encode_path(file)
        if memory is not None:
            text = ctypes.c_char_p(bytes(memory))
            self.kept.append(text)
            self.struct.memory = ctypes.cast(text, ctypes.c_void_p)
            self.struct.memory_bytes = len(memory)
        if isinstance(filter, Filter):
            self.struct.filter = filter.pointer
            self.struct.filter_length = len(filter)
        elif filter is not None:
            self.struct.filter_expression = encode(filter)

    def _set_source(self, source: Source) -> None:
        """Sets the interface or the file, as the library tells them apart."""
        text, error = encode_path(source), bpe_error()
        self.kept.append(text)
        set_source = lib.bpe_options_set_source
        check(set_source(ctypes.byref(self.struct), text, ctypes.byref(error)), error)

    def set(self, wanted: Dict[str, Any]) -> None:
        """Sets options by their names in bpe_options."""
        for name, value in wanted.items():
            kind = _FIELDS.get(name)
            if kind is None or name in _OWN or name.startswith("on_"):
                raise TypeError(f"bpfengine has no option {name!r}; bpfengine.Options lists them")
            setattr(self.struct, name, self._convert(name, kind, value))

    def _convert(self, name: str, kind: Any, value: Any) -> Any:
        if isinstance(value, str) and name in OPTION_ENUMS:
            members = OPTION_ENUMS[name].__members__
            if value.upper() not in members:
                names = ", ".join(m.lower() for m in members)
                raise ValueError(f"{name} is {value!r}; it may be: {names}")
            return members[value.upper()]
        if kind is ctypes.c_char_p:
            return None if value is None else encode(value)
        if kind is ctypes.c_bool:
            return bool(value)
        if hasattr(kind, "_length_"):
            return self._convert_array(name, kind, value)
        number = int(value)
        if kind(number).value != number:
            raise ValueError(f"{name} cannot be {number}")
        return number

    def _convert_array(self, name: str, kind: Any, value: Dict[str, int]) -> Any:
        members = OPTION_ENUMS[name].__members__
        array = getattr(self.struct, name)
        for key, number in value.items():
            index = members.get(key.upper().replace("-", "_"))
            if index is None:
                names = ", ".join(m.lower() for m in members)
                raise ValueError(f"{name} has no {key!r}; it may have: {names}")
            array[index] = number
        return array

    def set_callback(self, name: str, callback: Any) -> None:
        """Sets a handler; the library calls it on threads of its own."""
        self.kept.append(callback)
        setattr(self.struct, name, callback)

    def open(self, function: Any, close: Any) -> Handle:
        """Opens an engine or capture.  Opening may wait, for a writer of a FIFO or for a name
        server.  On the main thread a thread of its own waits, so that Ctrl-C is answered."""
        done = threading.Event()
        found: List[Any] = []
        given_up = threading.Event()

        def attempt() -> None:
            pointer, error = ctypes.c_void_p(), bpe_error()
            status = function(ctypes.byref(self.struct), ctypes.byref(pointer), ctypes.byref(error))
            handle = Handle(pointer, close, self) if status >= 0 else None
            found.append((status, error, handle))
            if given_up.is_set():
                found.clear()
            done.set()

        if threading.current_thread() is threading.main_thread():
            thread = threading.Thread(target=attempt, name="bpfengine open", daemon=True)
            thread.start()
            try:
                while not done.wait(0.1):
                    pass
            except BaseException:
                given_up.set()
                found.clear()
                raise
            thread.join()
        else:
            attempt()
        status, error, handle = found[0]
        check(status, error)
        opened: Handle = handle
        return opened
