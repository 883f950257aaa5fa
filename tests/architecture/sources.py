"""The project's sources as the checks see them: which files there are, and their code without comments and strings."""

import re
from pathlib import Path

ROOMS = ("include", "formats", "host", "cuda", "python")
CODE_SUFFIXES = (".hpp", ".cpp", ".cuh", ".cu")

# A comment, or a literal, whichever begins first. Raw strings come before strings. A quote between digits or after a
# word is a digit separator (1'000) and not the start of a character.
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)"""
    r"""|(?P<raw>R"(?P<mark>[^(\s]{0,16})\(.*?\)(?P=mark)")"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<character>(?<![0-9A-Za-z_])(?:u8|[LuU])?'(?:\\.|[^'\\\n])+')""",
    re.DOTALL,
)
_INCLUDE_LINE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)


def code_files(root, folders=ROOMS, suffixes=CODE_SUFFIXES):
    """Paths under `folders` of `root` with one of `suffixes`, sorted; folders that do not exist have none."""
    found = []
    for folder in folders:
        found += [path for path in (Path(root) / folder).rglob("*") if path.suffix in suffixes and path.is_file()]
    return sorted(found)


def without_comments(text):
    """`text` with comments blanked and everything else, line breaks included, in its place."""
    return _TOKEN.sub(lambda m: _blank(m.group()) if m.group("comment") else m.group(), text)


def code_only(text):
    """`text` with comments, literals and the operands of #include blanked, line breaks in their place."""
    text = _TOKEN.sub(lambda m: m.group() if _is_include_operand(text, m) else _blank(m.group()), text)
    return _INCLUDE_LINE.sub(lambda m: _blank(m.group()), text)


def includes(text):
    """(line number, "<" or '"', operand) of every #include in `text`."""
    text = without_comments(text)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1), m.group(2)) for m in _INCLUDE_LINE.finditer(text)]


def matches(text, pattern):
    """(line number, match) of every match of `pattern` in the code of `text`."""
    code = code_only(text)
    return [(code.count("\n", 0, m.start()) + 1, m) for m in re.finditer(pattern, code)]


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


def _is_include_operand(text, match):
    line_start = text.rfind("\n", 0, match.start()) + 1
    return re.match(r"[ \t]*#[ \t]*include[ \t]*$", text[line_start : match.start()]) is not None
