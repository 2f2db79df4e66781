"""The one way in which files are written: whole or not at all, and never before it is known that they can be."""

import io
import os
import tempfile
from pathlib import Path
from typing import Any

from gradtheory.errors import InvalidArgument, extra

_UNDATED: dict[str, dict[str, Any]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None},
    "png": {"Software": None},
}


def read_path(value: Any, name: str) -> Path:
    """Return the path of a file or a folder."""
    if isinstance(value, str | os.PathLike) and os.fspath(value) and isinstance(os.fspath(value), str):
        return Path(value)
    raise InvalidArgument(name, value, "must be a path, such as 'build/page.html'")


def read_target(value: Any, name: str) -> Path:
    """Return the path of a file that can be written, whose folders may still have to be made.

    Raises
    ------
    InvalidArgument
        If it is no path, if it is a folder, or if nothing can be written there.

    """
    path = read_path(value, name)
    try:
        is_folder = path.is_dir()
        if not is_folder and not _is_special(path):
            there = next(folder for folder in path.resolve().parents if folder.exists())
            with tempfile.TemporaryFile(dir=there):
                pass
    except OSError as error:
        raise _unwritable(name, path, "file", error) from None
    except (ValueError, RuntimeError):  # a null character; a circle of links
        raise InvalidArgument(name, str(path), "must be a path, such as 'build/page.html'") from None
    if is_folder:
        raise InvalidArgument(name, str(path), "must be a file: a folder has that name")
    return path


def read_folder(value: Any, name: str) -> Path:
    """Return the path of a folder that can be written to, which is made if it is not there.

    Raises
    ------
    InvalidArgument
        If it is no path, or nothing can be written there.

    """
    folder = read_path(value, name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        raise _unwritable(name, folder, "folder", error) from None
    except ValueError:
        raise InvalidArgument(name, str(folder), "must be a path, such as 'build/pages'") from None


def write_file(path: Path, content: str | bytes, name: str = "path") -> Path:
    """Write a file beside its place, and move it there when it is whole; return the path.

    Folders that are missing are made. Whatever interrupts this leaves the file as it was.

    Raises
    ------
    InvalidArgument
        If the file cannot be written.

    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if _is_special(path):
            path.write_bytes(data)
            return path
        place = path.resolve()  # a link stays a link
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name[:200]}.{os.getpid()}.part")
        try:
            part.write_bytes(data)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(name, path, "file", error) from None
    return path


def drawn(figure: Any, suffix: str, **options: Any) -> bytes:
    """Return a figure of Matplotlib as a file of that suffix, without dates and random names: the same each time."""
    with extra("plots"):
        import matplotlib as mpl
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "gradtheory"}):
        figure.savefig(buffer, format=suffix, metadata=_UNDATED[suffix], **options)
    return buffer.getvalue()


def _is_special(path: Path) -> bool:
    """Whether a path is that of a device or a pipe, which cannot be replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _unwritable(name: str, path: Path, kind: str, error: OSError) -> InvalidArgument:
    reason = error.strerror or type(error).__name__
    return InvalidArgument(name, str(path), f"must be a {kind} that can be written to ({reason})")
