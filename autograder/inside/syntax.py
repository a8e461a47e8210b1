"""What is wrong with text that is no Python: the character, where it stands, and what to do.

Python's own words name the rule that was broken. What a student cannot see is the character that
broke it: a blank copied from a web page, a quotation mark made by a word processor, a letter of
another alphabet. So characters are named, with what is meant to stand there.
"""

# ruff: noqa: RUF001 - characters that look like others are what this is about

from __future__ import annotations

import unicodedata

MEANT = {
    **dict.fromkeys("“”„‟«»″〝〞", '"'),
    **dict.fromkeys("‘’‚‛´`′‹›", "'"),
    **dict.fromkeys("‐‑‒–—―−﹣", "-"),
    **dict.fromkeys("×∗⋅·✕", "*"),
    **dict.fromkeys("÷∕⁄", "/"),
    "…": "...", "≤": "<=", "≥": ">=", "≠": "!=", "→": "->", "∶": ":", "；": ";",
    "²": "**2", "³": "**3", "、": ",", "。": ".",
    "а": "a", "е": "e", "о": "o", "р": "p", "с": "c", "х": "x", "у": "y", "і": "i", "ѕ": "s",
    "ј": "j", "А": "A", "В": "B", "Е": "E", "К": "K", "М": "M", "Н": "H", "О": "O", "Р": "P",
    "С": "C", "Т": "T", "Х": "X", "ο": "o", "α": "a", "ν": "v", "ρ": "p", "Α": "A", "Β": "B",
    "Ε": "E", "Η": "H", "Ι": "I", "Κ": "K", "Μ": "M", "Ν": "N", "Ο": "O", "Ρ": "P", "Τ": "T",
    "Χ": "X", "ı": "i", "ⅼ": "l",
}  # fmt: skip
"""Characters that look like another, or stand for it in print, and what a program means by them."""


def meant(character: str) -> str | None:
    """What a program means by a character that no Python is written with: "" for nothing at all;
    None where that cannot be told.
    """
    if character.isascii():
        return None
    if character in MEANT:
        return MEANT[character]
    kind = unicodedata.category(character)
    if kind == "Zs":
        return " "
    if kind in ("Cf", "Cc", "Zl", "Zp"):
        return ""
    plain = unicodedata.normalize("NFKC", character)
    return plain if plain.isascii() else None


def _named(character: str) -> str:
    code = f"U+{ord(character):04X} {unicodedata.name(character, 'without a name')}"
    seen = character.isprintable() and not character.isspace()
    return f"'{character}' ({code})" if seen else code


def _instead(character: str) -> str:
    wanted = meant(character)
    if wanted is None:
        return "replace it"
    if wanted == "":
        return "delete it"
    return "type a plain blank there" if wanted == " " else f"type {wanted} there"


def explain(error: SyntaxError) -> str:
    """The message of a syntax error, with the character that is to blame and the remedy."""
    said = str(error.msg)
    line = error.text or ""
    place = (error.offset or 0) - 1
    tab = "\t" in line[: len(line) - len(line.lstrip())]
    if isinstance(error, TabError) or ("indent" in said and tab):
        return f"{said}: indent with four blanks and no tabs"
    if said.startswith(("invalid non-printable character", "invalid character")):
        if not 0 <= place < len(line):
            return said
        return (
            f"invalid character: number {place + 1} of the line is {_named(line[place])}, as comes "
            f"with text copied from a page; {_instead(line[place])}"
        )
    if "unterminated" in said:
        for i, c in enumerate(line):
            if meant(c) in ("'", '"'):
                return f"{said}: number {i + 1} of the line is {_named(c)}; {_instead(c)}"
    if (
        "was never closed" in said
        or "incomplete input" in said
        or "expected an indented block" in said
    ):
        return f"{said}: the code breaks off there; complete it, or delete what is left of it"
    return said


def strangers(name: str) -> str:
    """The characters of a name that only look like plain letters, in words; "" where none do."""
    found = [c for c in name if meant(c)]
    return "; ".join(f"{_named(c)} looks like {meant(c)}" for c in dict.fromkeys(found))


def plain(name: str) -> str:
    """A name with plain letters in the place of those that look like them."""
    return "".join(meant(c) or c for c in name)
