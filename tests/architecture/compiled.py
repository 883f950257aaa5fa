"""The house rules that only a compiler's work shows: headers that compile alone, the flags that were really used, and
what an object file offers to the linker. Each returns a list of complaints, empty when the rule holds."""

import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from rules import UNSAFE_ARITHMETIC
from sources import ROOMS, code_files, includes

FLAGS = "-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror -ffp-contract=off -fsyntax-only".split()


class Skip(Exception):
    """The check does not apply here; the text says why."""


def headers_alone(root, cache_file, compiler, system_dirs):
    """Every header of include/, formats/ and host/ compiles as the only line of a source, and again as its second line.

    A header is not compiled again while it, everything of ours that it includes, the compiler and the flags are the ones
    that passed last time (`cache_file`). Returns complaints with the compiler's own words.
    """
    root, cache_file = Path(root).resolve(), Path(cache_file)
    command = [compiler, *FLAGS, f"-I{root / 'include'}", f"-I{root}"]
    # /usr/include is searched anyway, and naming it would change the order in which the standard headers find each other.
    command += [part for folder in system_dirs if folder != "/usr/include" for part in ("-isystem", folder)]
    version = subprocess.run([compiler, "--version"], capture_output=True, text=True, check=True).stdout
    passed = _read_cache(cache_file)
    keys = {path: _key(root, path, [version, *command]) for path in code_files(root, ("include", "formats", "host"), (".hpp",))}
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        stale = [path for path, key in keys.items() if key not in passed]
        said = dict(zip(stale, pool.map(lambda path: _compile_alone(command, root, path.relative_to(root)), stale)))
    cache_file.parent.mkdir(parents=True, exist_ok=True)
    cache_file.write_text("\n".join(key for path, key in keys.items() if not said.get(path)) + "\n")
    print(f"{len(keys)} headers, {len(stale)} compiled now")
    return [f"{path.relative_to(root)} does not compile alone:\n{text}" for path, text in said.items() if text]


def _read_cache(cache_file):
    return set(cache_file.read_text().split()) if cache_file.is_file() else set()


def _compile_alone(command, root, relative_path):
    """In `root`: a header named on standard input is looked for in the current folder first."""
    line = f'#include "{relative_path.as_posix().removeprefix("include/")}"\n'
    run = subprocess.run([*command, "-x", "c++", "-"], input=line * 2, cwd=root, capture_output=True, text=True, check=False)
    return run.stderr if run.returncode else ""


def _key(root, path, context):
    digest = hashlib.sha256("\0".join(context).encode())
    for part in sorted(_closure(root, path)):
        digest.update(part.as_posix().encode() + b"\0" + part.read_bytes())
    return digest.hexdigest()


def _closure(root, path):
    """`path` and every file of ours that it includes, directly or not."""
    closure, waiting = set(), [path]
    while waiting:
        current = waiting.pop()
        if current in closure:
            continue
        closure.add(current)
        for _, _, operand in includes(current.read_text()):
            waiting += [root / base / operand for base in ("", "include") if (root / base / operand).is_file()]
    return closure


def flags_used(root, build):
    """Every source of ours was compiled without contraction and without a flag that changes arithmetic."""
    found = []
    for name, words in _commands(root, build):
        is_cuda = Path(words[0]).name == "nvcc"
        needed = "--fmad=false" if is_cuda else "-ffp-contract=off"
        if needed not in words:
            found.append(f"{name}: compiled without {needed}")
        found += [f"{name}: compiled with {word}" for word in words if UNSAFE_ARITHMETIC.search(word)]
    return found


def vector_objects(root, build):
    """In an *avx2*.cpp object, only what says AVX2 in its name may be weak and use instructions beyond the baseline.

    The linker keeps one copy of an inline function. If a vector object held a shared one in AVX2 code, that copy could be
    the one kept, and a processor without AVX2 would run into it far from any check.
    """
    if shutil.which("nm") is None or shutil.which("objdump") is None:
        raise Skip("nm or objdump is not here")
    objects = [
        (name, Path(words[words.index("-o") + 1]))
        for name, words in _commands(root, build)
        if "avx2" in Path(name).name and name.startswith("host/")
    ]
    objects = [(name, path if path.is_absolute() else Path(build) / path) for name, path in objects]
    if not objects:
        raise Skip("no source is compiled for AVX2")
    absent = [str(path) for _, path in objects if not path.is_file()]
    if absent:
        raise Skip(f"not built: {', '.join(absent)}")
    return [
        f"{name}: {symbol} could replace a baseline copy and uses {instruction}"
        for name, path in objects
        for symbol, instruction in _vector_users(path).items()
        if "avx2" not in symbol.lower() and symbol in _weak_symbols(path)
    ]


# What x86-64 does not have: all VEX-encoded instructions (they begin with v; verr and verw are old), BMI, popcnt, lzcnt.
# tzcnt is not among them: compilers write it for bsf where the two agree.
_BEYOND_BASELINE = re.compile(r"v(?!er[rw])|andn|bextr|bls|bzhi|mulx|pdep|pext|rorx|s[ah][rl]x|popcnt|lzcnt")


def _weak_symbols(path):
    lines = _output("nm", "-C", path)
    return {m.group(1) for m in (re.match(r"[0-9a-f]* +[WVu] (.*)", line) for line in lines) if m}


def _vector_users(path):
    """The first instruction beyond the baseline in each function of an object that has one, by the function's name."""
    users, function = {}, ""
    for line in _output("objdump", "-d", "-C", "--no-show-raw-insn", path):
        if head := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            function = head.group(1)
        elif (instruction := re.match(r"\s+[0-9a-f]+:\s+(\S+)", line)) and _BEYOND_BASELINE.match(instruction.group(1)):
            users.setdefault(function, instruction.group(1))
    return users


def _output(*command):
    command = [str(word) for word in command]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def _commands(root, build):
    """(path from the root, words of the command) of every source of ours in the build's compile_commands.json."""
    database = Path(build) / "compile_commands.json"
    if not database.is_file():
        raise Skip(f"{database} is not here")
    root = Path(root).resolve()
    commands = []
    for entry in json.loads(database.read_text()):
        path = Path(entry["file"]).resolve()
        if path.is_relative_to(root) and path.relative_to(root).parts[0] in (*ROOMS, "tests", "bench"):
            commands.append((path.relative_to(root).as_posix(), shlex.split(entry["command"])))
    return commands
