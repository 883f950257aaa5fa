"""Errors: the classes of the command line's exit codes, also under the names that Python has for such things."""

from typing import NamedTuple, Optional


class Place(NamedTuple):
    """Where in the input a fault is."""

    file: str
    line: int  # 1-based physical line (of RecordIO: frame)
    column: int  # 1-based byte in it
    offset: int  # in the decompressed file, from 0


class Error(Exception):
    """What penstock raises. `str()` is the message, then a line ``hint: ...`` for each thing that can be done about it.

    message: what went wrong, and where. hint: what changes it, usually an option; empty if there is nothing to say.
    """

    def __init__(self, message, hint="", place=None):
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = None if place is None else Place(*place)

    def __str__(self):
        return "\n".join([self.message, *(f"hint: {line}" for line in self.hint.splitlines())])

    def __reduce__(self):
        return type(self), (self.message, self.hint, self.place)


class ConfigurationError(Error, ValueError):
    """Options that contradict each other, or that name something that does not exist."""


class SourceError(Error, OSError):
    """An input that cannot be opened, read or decompressed, or that is not the one of a saved state."""


class SinkError(Error, OSError):
    """An output that exists already or cannot be written."""


class SchemaError(Error, ValueError):
    """Inputs whose columns do not agree with each other, or with what was asked for."""


class DeviceError(Error, RuntimeError):
    """A device that was asked for cannot be used, or limits of memory cannot be kept."""


class DataError(Error, ValueError):
    """Records that are wrong beyond what `on_error` allows.

    file, line, column, offset: where the fault is that ended the work: the file as it was named, the physical line (of
    RecordIO: the frame) and the byte in it, both from 1, and the byte in the decompressed file, from 0. None where the
    error is about no single place.
    """

    @property
    def file(self) -> Optional[str]:
        return self.place and self.place.file

    @property
    def line(self) -> Optional[int]:
        return self.place and self.place.line

    @property
    def column(self) -> Optional[int]:
        return self.place and self.place.column

    @property
    def offset(self) -> Optional[int]:
        return self.place and self.place.offset


class InternalError(Error):
    """A defect of penstock."""
