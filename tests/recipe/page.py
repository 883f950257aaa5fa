#!/usr/bin/env python3
"""Takes the files of a format out of a page that walks through it: page.py PAGE SOURCE TREE.

A file in the page is a line that is nothing but its path in asterisks, a blank line and a block of code:

    **formats/pipes/decode.hpp**

    ```cpp
    ...

TREE becomes what has to be laid over SOURCE: the files, and of those in blocks marked `diff`, which consist of added lines only,
the file of SOURCE with these lines at its end.
"""

import re
import shutil
import sys
from pathlib import Path

FILE = re.compile(r"^\*\*(?P<path>[\w./-]+)\*\*\n\n```(?P<language>\w*)\n(?P<code>.*?)^```$", re.MULTILINE | re.DOTALL)


def files_of(page):
    """(path, language, code) of every file in the text of a page; a path that is no file's is an error."""
    files = [(match["path"], match["language"], match["code"]) for match in FILE.finditer(page)]
    named = re.findall(r"^\*\*([\w./-]+/[\w./-]+)\*\*$", page, re.MULTILINE)
    if named != [path for path, _, _ in files]:
        raise ValueError(f"a path without a block of code behind it: {named}")
    return files


def added_lines(code):
    lines = code.splitlines(keepends=True)
    if not lines or any(not line.startswith("+") for line in lines):
        raise ValueError("a diff may only add lines")
    return [line[1:] for line in lines]


def lay_out(page, source, tree):
    """Writes TREE anew."""
    shutil.rmtree(tree, ignore_errors=True)
    for path, language, code in files_of(page.read_text()):
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if language == "diff":
            code = (source / path).read_text() + "".join(added_lines(code))
        target.write_text(code)


if __name__ == "__main__":
    lay_out(*map(Path, sys.argv[1:]))
