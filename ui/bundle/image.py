"""Pack many files into one: the form in which Python files reach the browser.

Shape: u32 little-endian header length, header = JSON [[path, size], ...] padded with spaces to 16 bytes, then the
files' bytes in that order. Paths are relative, with "/", sorted. ui/runtime/image.js reads the same form.
"""

import io
import json
import struct
import zipfile
from collections.abc import Mapping

Files = dict[str, bytes]


def write_image(files: Mapping[str, bytes]) -> bytes:
    paths = sorted(files)
    header = json.dumps([[path, len(files[path])] for path in paths], separators=(",", ":")).encode()
    header += b" " * (-(len(header) + 4) % 16)
    return struct.pack("<I", len(header)) + header + b"".join(files[path] for path in paths)


def read_image(data: bytes) -> Files:
    (length,) = struct.unpack_from("<I", data)
    offset, files = 4 + length, {}
    for path, size in json.loads(data[4:offset]):
        files[path] = data[offset : offset + size]
        offset += size
    if offset != len(data):
        raise ValueError(f"image is {len(data)} bytes, its header says {offset}")
    return files


def write_stored_zip(files: Mapping[str, bytes]) -> bytes:
    """Return an uncompressed zip: Python opens it faster, and the way to the browser is compressed anyway."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(files):
            # Fixed date and system: the same files give the same bytes on every machine.
            info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            info.create_system = 3
            archive.writestr(info, files[path])
    return buffer.getvalue()
