"""Tables that people download: read whatever wrote them, and written back alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder.errors import InputError
from autograder.results import tables


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_a_table_goes_back_as_it_came(
    tmp_path: Path, encoding: str, delimiter: str, newline: str
) -> None:
    lines = [["Name", "Größe, cm", "Note"], ["Zoë", "a\nb", '"q"'], ["=1+1", "", "x; y"]]
    path, back = tmp_path / "in.csv", tmp_path / "back.csv"
    tables.Table(lines, delimiter, encoding, newline).write(path)
    table = tables.read_table(path)
    assert table.rows == lines and table.delimiter == delimiter
    table.write(back)
    assert back.read_bytes() == path.read_bytes()


def test_a_cell_can_be_put_where_the_row_is_short(tmp_path: Path) -> None:
    table = tables.Table([["a", "b", "c"], ["1"]])
    assert table.cell(1, 2) == "" and table.cell(1, -1) == ""
    table.put(1, 2, "x")
    assert table.rows[1] == ["1", "", "x"]


def test_a_file_that_is_no_table_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        tables.read_table(tmp_path / "nothing.csv")
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\0\n")
    with pytest.raises(InputError, match="is not a CSV file"):
        tables.read_table(path)
    monkeypatch.setattr(tables, "TABLE_CAP", 8)
    path.write_bytes(b"a,b\n" * 3)
    with pytest.raises(InputError, match="too large"):
        tables.read_table(path)


def test_a_name_that_fits_two_rows_fits_none() -> None:
    table = tables.Table([["1", "ann"], ["2", "ANN"], ["3", "2"]])
    assert tables.find_row(table, range(3), [1], ["ann"]) is None
    assert tables.find_row(table, range(3), [0, 1], ["2"]) == 1, "the first column goes first"
    assert tables.find_row(table, range(3), [1], ["x"]) is None
