"""Compiles the message catalogues of `yett.drf`: each `django.po` to the `django.mo` beside it.

    python xtask/catalogues.py            # writes what is out of date
    python xtask/catalogues.py --check    # fails instead

The results are kept in the repository, so that building a wheel needs no gettext. Of the PO format
what the catalogues use is read: `msgid` and `msgstr` of one or more quoted lines, comments.
"""

import ast
import pathlib
import struct
import sys

LOCALE = pathlib.Path(__file__).parent.parent / "python" / "yett" / "drf" / "locale"

#: The first word of a little-endian file (GNU gettext manual, "The Format of GNU MO Files").
MAGIC = 0x950412DE


def read(text: str) -> dict[str, str]:
    """Return the messages of a catalogue by their original; `ValueError` for any other syntax."""
    messages: dict[str, str] = {}
    parts: dict[str, str] = {}
    keyword = ""
    for line in [*text.splitlines(), "msgid"]:
        word, _, rest = line.strip().partition(" ")
        if word == "msgid":
            if parts:
                if not parts["msgstr"] or parts["msgid"] in messages:
                    raise ValueError(f"no or a second translation: {parts['msgid']!r}")
                messages[parts["msgid"]] = parts["msgstr"]
            parts = {}
        if word in ("msgid", "msgstr"):
            keyword, quoted = word, rest
        elif not word or word.startswith("#"):
            continue
        else:
            quoted = line.strip()
        if quoted:
            parts[keyword] = parts.get(keyword, "") + ast.literal_eval(quoted)
    return messages


def compiled(messages: dict[str, str]) -> bytes:
    """Return the binary form: sorted originals and translations behind two tables of places."""
    pairs = sorted((key.encode(), value.encode()) for key, value in messages.items())
    count = len(pairs)
    head = 7 * 4
    texts = b""
    tables: list[list[int]] = [[], []]
    for side in (0, 1):
        for pair in pairs:
            tables[side] += [len(pair[side]), head + 16 * count + len(texts)]
            texts += pair[side] + b"\0"
    header = struct.pack("<7I", MAGIC, 0, count, head, head + 8 * count, 0, head + 16 * count)
    return header + struct.pack(f"<{4 * count}I", *tables[0], *tables[1]) + texts


def main() -> None:
    """Compile, or check."""
    for source in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        result = source.with_suffix(".mo")
        wanted = compiled(read(source.read_text(encoding="utf-8")))
        if result.is_file() and result.read_bytes() == wanted:
            continue
        if "--check" in sys.argv:
            sys.exit(f"{result} is out of date: python xtask/catalogues.py")
        result.write_bytes(wanted)


if __name__ == "__main__":
    main()
