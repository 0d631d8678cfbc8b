"""Tables: Markdown, pasted spreadsheets, comma-separated values, columns set apart by blanks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from blueprints.generation.records.cells import Cell, Found, Record, is_value, meaning

_SEPARATORS = (
    re.compile(r"\|"),
    re.compile(r"\t"),
    re.compile(r";"),
    re.compile(r","),
    re.compile(r" {2,}"),
)
_RULE = re.compile(r"[\s|:+=-]+")
_SUMS = re.compile(r"\W*(?:total|sum|summe|gesamt|insgesamt|totale|somme|suma)\b", re.IGNORECASE)
_FRAME = re.compile(r"[ \t]*\|?(?P<inside>.*?)\|?[ \t]*")
_EMPHASIS = "*`_ \t"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A cell that does not know its column yet."""

    text: str
    start: int


Row = list[_Piece]


def tables(text: str) -> Found:
    """Every table of the text: a line of headings and lines with as many cells."""
    lines = list(_lines(text))
    records: list[Record] = []
    spans: list[tuple[int, int]] = []
    place = 0
    while place < len(lines):
        rows, used = _table(lines, place)
        found = [record for record in _records(rows) if record]
        if found:
            records += found
            last_start, last_line = lines[place + used - 1]
            spans.append((lines[place][0], last_start + len(last_line)))
        place += used if found else 1
    return Found(records, spans)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.split("\n"):
        yield start, line
        start += len(line) + 1


def _table(lines: list[tuple[int, str]], place: int) -> tuple[list[Row], int]:
    """The rows that begin here, cut by the separator that makes headings of the first line."""
    for separator in _SEPARATORS:
        head = _cut(lines[place], separator)
        if len(head) < 2 or not (_is_head(head) or _is_sideways(lines, place, separator)):
            continue
        rows, used = [head], 1
        for line in lines[place + 1 :]:
            row = _cut(line, separator)
            if _RULE.fullmatch(line[1]) is None:
                if len(row) < 2 or len(row) > len(head) + 1:
                    break
                rows.append(row)
            used += 1
        if len(rows) > 1:
            return rows, used
    return [], 1


def _cut(line: tuple[int, str], separator: re.Pattern[str]) -> Row:
    start, text = line
    if separator.search(text) is None:
        return []
    frame = _FRAME.fullmatch(text)
    begin, end = frame.span("inside") if frame else (0, 0)
    pieces, position = [], begin
    for match in separator.finditer(text, begin, end):
        pieces.append(_piece(text, position, match.start(), start))
        position = match.end()
    return [*pieces, _piece(text, position, end, start)] if end > begin else []


def _piece(text: str, begin: int, end: int, offset: int) -> _Piece:
    """Without the stars and backticks of Markdown and the quotes of spreadsheets."""
    part = text[begin:end]
    inner = part.strip(_EMPHASIS + "\"'")
    return _Piece(inner, offset + begin + (part.find(inner) if inner else 0))


def _is_head(row: Row) -> bool:
    """Most cells are headings, and one of them is about a value."""
    known = [meaning(piece.text)[0] for piece in row]
    return sum(map(bool, known)) * 3 >= len(row) * 2 and any(map(is_value, known)) and sum(map(bool, known)) > 1


def _is_sideways(lines: list[tuple[int, str]], place: int, separator: re.Pattern[str]) -> bool:
    """A table whose headings stand in the first column: "RAM | 8 GB"."""
    rows = [_cut(line, separator) for line in lines[place + 1 : place + 9] if _RULE.fullmatch(line[1]) is None]
    firsts = [meaning(row[0].text)[0] for row in rows if len(row) > 1]
    return separator is _SEPARATORS[0] and sum(map(is_value, firsts)) > 1 and len(firsts) == len([r for r in rows if r])


def _records(rows: list[Row]) -> Iterator[Record]:
    if not rows:
        return
    if not _is_head(rows[0]):
        yield from _sideways(rows)
        return
    columns = _named([meaning(piece.text) for piece in rows[0]], rows[1:])
    for row in rows[1:]:
        if not _SUMS.match(row[0].text):
            yield [
                Cell(*column, piece.text, piece.start)
                for column, piece in zip(columns, row, strict=False)
                if column[0] and piece.text.strip(" -–—/")
            ]


def _named(columns: list[tuple[str, str]], rows: list[Row]) -> list[tuple[str, str]]:
    """The French "nombre" counts, the Spanish one names; a first column without a heading says what the rows are."""
    first = columns[0][0]
    if first == "" and "name" not in (name for name, _ in columns):
        columns = [("what", ""), *columns[1:]]
    return [
        ("count", "") if name == "name" and all(_digits(row, place) for row in rows) else (name, unit)
        for place, (name, unit) in enumerate(columns)
    ]


def _digits(row: Row, place: int) -> bool:
    return place < len(row) and row[place].text.isdigit()


def _sideways(rows: list[Row]) -> Iterator[Record]:
    """One record for each column behind the first."""
    width = min(len(row) for row in rows)
    for column in range(1, width):
        cells = [Cell(*meaning(row[0].text), row[column].text, row[column].start) for row in rows[1:]]
        head = rows[0][column]
        own = meaning(rows[0][0].text)
        titled = Cell(own[0] if own[0] and own[0] != "name" else "name", own[1], head.text, head.start)
        kept = [cell for cell in cells if cell.column and cell.text.strip(" -–—/")]
        yield [replace(titled), *kept] if head.text and not _is_title(head.text) else kept


def _is_title(text: str) -> bool:
    """ "Value" above the values is no name."""
    return text.lower() in ("value", "wert", "valeur", "valor", "valore", "requirement", "spec", "specs")
