# SPDX-License-Identifier: MIT
"""Flow records as columns of Apache Arrow, which pyarrow, polars and DuckDB take without a copy.

Neither of them is imported here: the objects have the methods of Arrow's PyCapsule interface.
"""

from __future__ import annotations

import ctypes
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from . import _arrow
from ._arrow import ArrowArray, ArrowSchema
from ._enums import Status
from ._layout import bpe_error
from ._library import Error, check, decode, lib


def make_schema() -> ArrowSchema:
    """The schema of the columns; the caller releases it."""
    gathered, schema = Gathered(), ArrowSchema()
    check(lib.bpe_columns_take(gathered.pointer, ctypes.byref(schema), None))
    return schema


class Gathered:
    """Rows of records, by the functions bpe_columns_* of the library."""

    def __init__(self) -> None:
        self.pointer = ctypes.c_void_p()
        error = bpe_error()
        check(lib.bpe_columns_open(ctypes.byref(self.pointer), ctypes.byref(error)), error)

    @property
    def rows(self) -> int:
        """The rows that were not taken."""
        found: int = lib.bpe_columns_rows(self.pointer)
        return found

    def fill(self, engine: ctypes.c_void_p, most: int) -> int:
        """Takes waiting records of an engine, at most so many; 0 is the end.  Ctrl-C is answered
        while no record waits."""
        error = bpe_error()
        while True:
            n: int = lib.bpe_columns_fill(self.pointer, engine, most, ctypes.byref(error))
            if n != Status.E_BUSY:  # a signal, whose handler runs between the calls
                break
        if n < 0:
            check(n, error)
        return n

    def take(self) -> "Columns":
        """Moves the rows out."""
        array = ArrowArray()
        check(lib.bpe_columns_take(self.pointer, None, ctypes.byref(array)))
        return Columns(array)

    def __del__(
        self, close: Callable[..., Any] = lib.__dict__.get("bpe_columns_close", id)
    ) -> None:
        if self.pointer:
            close(self.pointer)


class Columns:
    """Rows of flow records as columns.

    pyarrow.record_batch(columns) or polars.DataFrame(columns) takes the columns without a copy, and
    once: the rows are the reader's then.
    """

    def __init__(self, array: ArrowArray) -> None:
        self._array = array
        self._rows: int = array.length

    def __len__(self) -> int:
        return self._rows

    def __arrow_c_schema__(self) -> object:
        return _arrow.capsule(make_schema())

    def __arrow_c_array__(self, requested_schema: Optional[object] = None) -> Tuple[object, object]:
        schema = self.__arrow_c_schema__()
        return schema, _arrow.capsule(self.move())

    def move(self) -> ArrowArray:
        """The array, which is the caller's then."""
        if not self._array.release:
            raise Error("the rows of these columns were taken already", Status.E_STATE)
        moved = ArrowArray()
        _arrow.move(self._array, ctypes.addressof(moved))
        return moved

    def __del__(self, release: Callable[..., Any] = _arrow.release) -> None:
        release(self._array)


def fill_batches(engine: ctypes.c_void_p, rows: int) -> Iterator[Columns]:
    """Columns of so many rows each, the last of fewer.  A failure of the run comes behind the last
    columns."""
    if rows < 1:
        raise ValueError(f"rows is {rows}: ask for 1 row or more")
    gathered = Gathered()
    try:
        while gathered.fill(engine, rows - gathered.rows):
            if gathered.rows >= rows:
                yield gathered.take()
    except Error:
        if gathered.rows:
            yield gathered.take()
        raise
    if gathered.rows:
        yield gathered.take()


class FlowColumns:
    """The flows of a source as a stream of columns; bpfengine.columns() makes it.

    Each reader starts a run of its own over the source.  Iterating gives Columns; readers of Arrow
    take the whole stream.  stats has the books of the latest run that ended, and error the failure
    that ended it, or None.
    """

    def __init__(self, open_engine: Callable[[], Any], rows: int, errors: str) -> None:
        if errors not in ("raise", "keep"):
            raise ValueError(f'errors is "raise" or "keep", not {errors!r}')
        if rows < 1:
            raise ValueError(f"rows is {rows}: ask for 1 row or more")
        self.rows = rows
        self.errors = errors
        self.stats: Optional[Dict[str, Any]] = None
        self.error: Optional[Error] = None
        self._open_engine = open_engine
        self._opened: List[Any] = [open_engine()]  # so that a bad source is refused here

    def __iter__(self) -> Iterator[Columns]:
        engine = self._opened.pop() if self._opened else self._open_engine()
        with engine:
            try:
                yield from engine.columns(self.rows)
                self.error = None
            except Error as error:
                self.error = error
                if self.errors == "raise":
                    raise
            finally:
                if not engine.closed:  # as it is when the interpreter ends
                    self.stats = engine.stats()

    def __arrow_c_schema__(self) -> object:
        return _arrow.capsule(make_schema())

    def __arrow_c_stream__(self, requested_schema: Optional[object] = None) -> object:
        batches = iter(self)
        arrays = (columns.move() for columns in batches)
        close = batches.close  # type: ignore[attr-defined]
        return _arrow.Stream(make_schema, arrays, close).capsule()

    @property
    def names(self) -> List[str]:
        """The names of the columns, in their order."""
        schema = make_schema()
        children = (ctypes.POINTER(ArrowSchema) * schema.n_children).from_address(schema.children)
        names = [decode(child.contents.name) for child in children]
        _arrow.release(schema)
        return names
