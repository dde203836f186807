import pytest

from upliftlab.errors import OutputError
from upliftlab.util.files import atomic_write


def test_makes_the_folder_and_replaces_what_was_there(tmp_path):
    path = tmp_path / "new" / "report.html"
    atomic_write(path, b"first")
    atomic_write(path, b"second")
    assert path.read_bytes() == b"second"
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


def test_what_cannot_be_renamed_leaves_the_old_and_nothing_else(tmp_path):
    path = tmp_path / "report.html"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(OutputError, match="UL601") as error:
        atomic_write(path, b"new")
    assert error.value.faults[0].place.file == str(path)
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(OutputError, match="UL601"):
        atomic_write(tmp_path / "taken" / "report.html", b"new")


def test_a_long_name_still_fits_while_it_is_written(tmp_path):
    path = tmp_path / ("x" * 250 + ".html")
    atomic_write(path, b"content")
    assert path.read_bytes() == b"content"
