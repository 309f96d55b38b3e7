import errno

import pytest

from eacnet.errors import InputError
from eacnet.files import checksum, read_json, replacing, replacing_folder, write_json


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "scores.json"
    write_json(target, {"miou": 1})
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_text(f"half {1 / 0}")
    assert read_json(target) == {"miou": 1}
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_folder_leaves_the_old_folder_and_nothing_else(tmp_path):
    target = tmp_path / "store"
    target.mkdir()
    (target / "old").touch()
    with pytest.raises(FileNotFoundError), replacing_folder(target, ["*"]) as temporary:
        (temporary / "new").mkdir(parents=True) or (temporary / "none" / "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["store", "old"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    for name in ("first", "second"):
        with replacing_folder(tmp_path / "store", ["first", "second"]) as temporary:
            temporary.mkdir()
            (temporary / name).touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["store", "second"]


def test_an_error_of_the_disk_names_the_file_that_was_asked_for(tmp_path):
    with pytest.raises(OSError, match="No space") as caught, replacing(tmp_path / "a"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "a")


def test_a_missing_or_broken_json_gets_one_line(tmp_path):
    with pytest.raises(InputError, match="dvc repro"):
        read_json(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"miou": ')
    with pytest.raises(InputError, match="no valid JSON"):
        read_json(tmp_path / "half.json")


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"miou": float("nan")})
    assert not list(tmp_path.iterdir())


def test_a_checksum_is_that_of_the_bytes(tmp_path):
    path = tmp_path / "abc"
    path.write_bytes(b"abc")
    # FIPS 180-2, appendix B.1
    assert checksum(path).startswith("ba7816bf8f01cfea414140de5dae2223")
    with pytest.raises(InputError, match="none is missing"):
        checksum(tmp_path / "none")
