"""A file from outside, read once: no device, pipe or folder, and none that is too large."""

import stat
from pathlib import Path

from gradtheory.errors import InvalidArgument

MOST_BYTES = 2**31


def bytes_of(path: Path, name: str) -> bytes:
    """Return what a file holds; the name is that of the argument.

    Raises
    ------
    InvalidArgument
        If it cannot be read, is no regular file, or has more than 2 GiB.

    """
    try:
        status = path.stat()
        is_endless = not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode)  # a pipe or a device
        data = b"" if is_endless or status.st_size > MOST_BYTES else path.read_bytes()
    except OSError as error:
        raise InvalidArgument(name, str(path), f"cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # a null byte in the path
        raise InvalidArgument(name, str(path), f"cannot be read: {error}") from None
    if is_endless:
        raise InvalidArgument(name, str(path), "must be a regular file")
    if status.st_size > MOST_BYTES:
        raise InvalidArgument(name, str(path), f"must be a file of at most {MOST_BYTES} bytes")
    return data
