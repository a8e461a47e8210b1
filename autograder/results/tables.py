"""Spreadsheets that people download from other tools, as CSV.

Table        rows of cells, and what it takes to write them back alike
read_table   a file as it stands: byte order mark, encoding, delimiter
find_row     the one row in which a cell is one of these names
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InputError
from .files import write_whole

TABLE_CAP = 64 << 20
"""As many bytes are read at most: far more than a gradebook has."""


@dataclass
class Table:
    """A spreadsheet as it came: rows of cells, with what it takes to write it back alike.

    `lines` are the lines of the file on which its rows end; a cell may hold several.
    """

    rows: list[list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    newline: str = "\n"
    lines: list[int] = field(default_factory=list)

    def cell(self, row: int, column: int) -> str:
        """The text at (row, column), "" where the row is shorter."""
        here = self.rows[row]
        return here[column] if 0 <= column < len(here) else ""

    def line(self, row: int) -> int:
        """The line of the file on which a row ends, counted from 1."""
        return self.lines[row] if row < len(self.lines) else row + 1

    def put(self, row: int, column: int, text: str) -> None:
        """Replace one cell; a row that is too short is filled up with empty cells."""
        here = self.rows[row]
        here.extend([""] * (column + 1 - len(here)))
        here[column] = text

    def write(self, path: Path) -> None:
        """Write it whole. Raises `GraderError` where that cannot be."""
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=self.delimiter, lineterminator=self.newline).writerows(self.rows)
        write_whole(path, out.getvalue().encode(self.encoding, "xmlcharrefreplace"))


def read_table(path: Path) -> Table:
    """Read a downloaded spreadsheet: UTF-8 with or without a byte order mark, else what an older
    Excel saves (Windows-1252); commas, semicolons or tabs. Raises `InputError`.
    """
    try:
        with path.open("rb") as f:
            raw = f.read(TABLE_CAP + 1)
    except OSError as e:
        raise InputError(
            f"cannot be read: {e.strerror}", where=path, remedy="check the path"
        ) from e
    if len(raw) > TABLE_CAP:
        raise InputError("is too large for a gradebook", where=path, remedy="check the path")
    if raw.startswith((b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff")) or b"\0" in raw:
        raise InputError("is not a CSV file", where=path, remedy="download it as CSV, in UTF-8")
    encoding = "utf-8-sig" if raw.startswith(b"\xef\xbb\xbf") else "utf-8"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp1252"
        text = raw.decode(encoding, "replace")
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    newline = "\r\n" if head.endswith("\r") else "\n"
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
        rows, lines = [], []
        for row in reader:
            rows.append(row)
            lines.append(reader.line_num)
    except csv.Error as e:
        raise InputError(
            f"is not a CSV file: {e}",
            where=path,
            line=reader.line_num,
            remedy="mend the quotes there, or download it again, as CSV",
        ) from e
    if not any(rows):
        raise InputError("is empty", where=path, remedy="download it again")
    return Table(rows, delimiter, encoding, newline, lines)


def find_row(
    table: Table, rows: Iterable[int], columns: Iterable[int], names: Iterable[str]
) -> int | None:
    """The row of `rows` in which a cell of `columns` is one of `names`, whatever its case; columns
    are tried in order, and one that would give several rows gives none.
    """
    wanted = {name.strip().casefold() for name in names}
    rows = list(rows)
    for column in columns:
        found = [i for i in rows if table.cell(i, column).strip().casefold() in wanted]
        if len(found) == 1:
            return found[0]
    return None
