# SPDX-License-Identifier: MIT
"""Structures of Arrow's C data interface, and the capsules by which other packages take them.

arrow.apache.org/docs/format/CDataInterface/PyCapsuleInterface.html describes the protocol.  A
capsule holds a structure in memory of its own.  A reader moves the contents out and sets release to
NULL; what was not moved is released with the capsule.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
from ctypes import CFUNCTYPE, PYFUNCTYPE, Structure
from ctypes import c_char_p, c_int, c_int64, c_size_t, c_void_p, py_object
from typing import Any, Callable, Dict, Iterator, Optional, Type, TypeVar


class ArrowSchema(Structure):
    """Struct ArrowSchema of bpfengine.h."""

    _fields_ = [
        *[(name, c_char_p) for name in ("format", "name", "metadata")],
        *[(name, c_int64) for name in ("flags", "n_children")],
        *[(name, c_void_p) for name in ("children", "dictionary", "release", "private_data")],
    ]


class ArrowArray(Structure):
    """Struct ArrowArray of bpfengine.h."""

    _fields_ = [
        *[
            (name, c_int64)
            for name in ("length", "null_count", "offset", "n_buffers", "n_children")
        ],
        *[
            (name, c_void_p)
            for name in ("buffers", "children", "dictionary", "release", "private_data")
        ],
    ]


class ArrowArrayStream(Structure):
    """Struct ArrowArrayStream of Arrow's C stream interface."""

    _fields_ = [
        (name, c_void_p)
        for name in ("get_schema", "get_next", "get_last_error", "release", "private_data")
    ]


AnyStruct = TypeVar("AnyStruct", ArrowSchema, ArrowArray, ArrowArrayStream)

# Prototypes of their own, since those of ctypes.pythonapi are shared by all of the program.
_api = ctypes.pythonapi
_new_capsule = PYFUNCTYPE(py_object, c_void_p, c_char_p, c_void_p)(("PyCapsule_New", _api))
# The capsule is given by address, since a capsule that ends must not be referred to.
_capsule_name = PYFUNCTYPE(c_char_p, c_void_p)(("PyCapsule_GetName", _api))
_capsule_pointer = PYFUNCTYPE(c_void_p, c_void_p, c_char_p)(("PyCapsule_GetPointer", _api))
_raw_calloc = PYFUNCTYPE(c_void_p, c_size_t, c_size_t)(("PyMem_RawCalloc", _api))
_raw_free = PYFUNCTYPE(None, c_void_p)(("PyMem_RawFree", _api))
_keep = PYFUNCTYPE(None, py_object)(("Py_IncRef", _api))
_Release = CFUNCTYPE(None, c_void_p)

NAMES: Dict[Type[Structure], bytes] = {
    ArrowSchema: b"arrow_schema",
    ArrowArray: b"arrow_array",
    ArrowArrayStream: b"arrow_array_stream",
}
_STRUCTS = {name: kind for kind, name in NAMES.items()}


def release(struct: Structure) -> None:
    """Releases what a structure holds, if it was not moved away."""
    if struct.release:
        _Release(struct.release)(ctypes.addressof(struct))


def move(source: AnyStruct, address: int) -> None:
    """Moves a structure to an address, as Arrow moves: the source is released then."""
    ctypes.memmove(address, ctypes.addressof(source), ctypes.sizeof(source))
    source.release = None


def _end_capsule(
    capsule: int,
    name_of: Callable[..., Any] = _capsule_name,
    pointer_of: Callable[..., Any] = _capsule_pointer,
    structs: Dict[bytes, Any] = _STRUCTS,
    release_struct: Callable[..., Any] = release,
    free: Callable[..., Any] = _raw_free,
) -> None:
    """Releases and frees a capsule's structure.  Names are defaults, and so outlive the module."""
    name = name_of(capsule)
    address = pointer_of(capsule, name)
    release_struct(structs[name].from_address(address))
    free(address)


_destructor = PYFUNCTYPE(None, c_void_p)(_end_capsule)


def capsule(struct: AnyStruct) -> object:
    """A capsule with the contents of the structure, which is moved."""
    address = _raw_calloc(1, ctypes.sizeof(struct))
    if not address:
        raise MemoryError
    move(struct, address)
    return _new_capsule(address, NAMES[type(struct)], ctypes.cast(_destructor, c_void_p))


class Stream:
    """Batches as they are asked for by a reader of the C stream interface.

    make_schema gives a schema; batches gives arrays, which are moved to the reader; close is called
    once, when the reader releases the stream.
    """

    def __init__(
        self,
        make_schema: Callable[[], ArrowSchema],
        batches: Iterator[ArrowArray],
        close: Callable[[], None],
    ) -> None:
        self.make_schema = make_schema
        self.batches = batches
        self.close = close
        self.said: Optional[bytes] = None

    def give_schema(self, address: int) -> None:
        """Writes the schema to the reader's structure."""
        move(self.make_schema(), address)

    def give_batch(self, address: int) -> None:
        """Writes the next array to the reader's structure, or a released array at the end."""
        array = next(self.batches, None)
        move(array if array is not None else ArrowArray(), address)

    def capsule(self) -> object:
        """The stream for a reader."""
        key = next(_keys)
        _streams[key] = self
        stream = ArrowArrayStream(*_calls, key)
        return capsule(stream)


_streams: Dict[int, Stream] = {}
_keys = itertools.count(1)


def _stream_of(address: int) -> Stream:
    return _streams[ArrowArrayStream.from_address(address).private_data]


def _answer(address: int, give: Callable[[Stream, int], None], out: int) -> int:
    """Calls give, and keeps what an exception says for get_last_error."""
    stream = _stream_of(address)
    try:
        give(stream, out)
    except MemoryError as error:
        stream.said = str(error).encode() or b"no memory"
        return errno.ENOMEM
    except BaseException as error:  # no exception may go through the reader
        stream.said = (str(error) or type(error).__name__).encode("utf-8", "replace")
        return errno.EIO
    return 0


def _get_schema(address: int, out: int) -> int:
    return _answer(address, Stream.give_schema, out)


def _get_next(address: int, out: int) -> int:
    return _answer(address, Stream.give_batch, out)


def _get_last_error(address: int) -> Optional[int]:
    said = _stream_of(address).said
    return None if said is None else ctypes.cast(c_char_p(said), c_void_p).value


def _release_stream(address: int) -> None:
    struct = ArrowArrayStream.from_address(address)
    stream = _streams.pop(struct.private_data, None)
    struct.release = None
    if stream is not None:
        stream.close()


_Give = CFUNCTYPE(c_int, c_void_p, c_void_p)
_kept = (
    _Give(_get_schema),
    _Give(_get_next),
    CFUNCTYPE(c_void_p, c_void_p)(_get_last_error),
    _Release(_release_stream),
)
_calls = tuple(ctypes.cast(call, c_void_p).value for call in _kept)
# Readers may hold pointers to these functions until the very end.
for _call in (*_kept, _destructor):
    _keep(_call)
