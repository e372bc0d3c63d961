import io
import zipfile

import pytest

from ui.bundle.image import read_image, write_image, write_stored_zip

FILES = {"b/two.txt": b"2" * 1000, "a/one.txt": b"", "a/疫.txt": "疫".encode()}


def test_an_image_gives_back_every_file() -> None:
    assert read_image(write_image(FILES)) == FILES


def test_the_order_of_the_files_does_not_change_the_bytes() -> None:
    backwards = dict(reversed(FILES.items()))

    assert write_image(backwards) == write_image(FILES)
    assert write_stored_zip(backwards) == write_stored_zip(FILES)


def test_a_cut_image_is_refused() -> None:
    with pytest.raises(ValueError, match="header says"):
        read_image(write_image(FILES)[:-1])


def test_the_zip_is_stored_and_dated_alike_everywhere() -> None:
    with zipfile.ZipFile(io.BytesIO(write_stored_zip(FILES))) as archive:
        assert {info.filename: archive.read(info) for info in archive.infolist()} == FILES
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(2020, 1, 1, 0, 0, 0)}
