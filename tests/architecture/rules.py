"""The house rules that the text of the sources shows. Every rule is a function of the root folder that returns a list of
"path:line: what is wrong" strings, empty when the rule holds. check.py runs them, self_test.py plants violations."""

import re
from pathlib import Path

from sources import ROOMS, code_files, code_only, includes, matches, without_comments

LINES_MAX = 500  # docs/STYLE.md: a reader holds one file at a time; most are under 300

# Doors: what a folder may include, as prefixes of paths from the root. The longest folder that fits a file counts.
DOORS = {
    "include": ("penstock/",),
    "formats": ("penstock/", "formats/"),
    "cuda": ("penstock/", "formats/", "cuda/"),
    "host/ring": ("penstock/", "host/ring/"),
    "host/text": ("host/text/",),
    "host/io": ("penstock/", "formats/", "host/ring/", "host/text/", "host/io/"),
    "host": ("penstock/", "formats/", "host/ring/", "host/text/", "host/io/", "host/exec/", "host/pipeline/"),
    "host/exec/make_executor": ("penstock/", "formats/", "host/", "cuda/"),
    "host/app": ("penstock/", "formats/", "host/", "cuda/"),
    "host/loader": ("penstock/", "formats/", "host/"),
    "python": ("penstock/", "python/", "host/app/cli.hpp", "host/text/"),
}

STANDARD_HEADERS = frozenset(
    """algorithm any array atomic barrier bit bitset cassert cctype cerrno cfenv cfloat charconv chrono cinttypes climits
    clocale cmath compare complex concepts condition_variable coroutine csetjmp csignal cstdarg cstddef cstdint cstdio
    cstdlib cstring ctime cuchar cwchar cwctype deque exception execution filesystem forward_list fstream functional
    future initializer_list iomanip ios iosfwd iostream istream iterator latch limits list locale map memory
    memory_resource mutex new numbers numeric optional ostream queue random ranges ratio scoped_allocator semaphore set
    shared_mutex source_location span sstream stack stdexcept stop_token streambuf string string_view syncstream
    system_error thread tuple type_traits typeindex typeinfo unordered_map unordered_set utility valarray variant vector
    version""".split()
)
# Formats know bytes: no threads, files, streams. (Allocation is watched in review: std::string is fine in options.)
NOT_IN_FORMATS = frozenset(
    """barrier condition_variable filesystem fstream future iomanip ios iostream istream latch mutex ostream semaphore
    shared_mutex sstream stop_token streambuf syncstream thread""".split()
)

UNSAFE_ARITHMETIC = re.compile(
    r"-ffast-math|-Ofast|-funsafe-math|-fassociative-math|-freciprocal-math|-ffinite-math|-fno-signed-zeros"
    r"|-mfma\b|-march=native|-mtune=native|-ffp-contract=(?!off)|use_fast_math|-ftz=true|-prec-(?:div|sqrt)=false"
    r"|-fmad[= ](?!false)|GCC\s+optimize|\boptimize\s*\(|float_control|fp_contract|FP_CONTRACT\s+(?!OFF)"
)


def _lines_of(root, paths, pattern, message):
    return [
        f"{path.relative_to(root)}:{line}: {message}: {match.group().strip()}"
        for path in paths
        for line, match in matches(path.read_text(), pattern)
    ]


def _in_app(root, path):
    return path.is_relative_to(Path(root) / "host/app")


def allowed_prefixes(relative_path):
    """The longest key of DOORS that `relative_path` (posix) begins with decides."""
    fitting = [folder for folder in DOORS if relative_path.startswith(folder)]
    return DOORS[max(fitting, key=len)]


def doors(root):
    """Who may include whom, always by the path from the root, and only files that exist."""
    found = []
    for path in code_files(root):
        name = path.relative_to(root).as_posix()
        allowed = allowed_prefixes(name)
        for line, bracket, operand in includes(path.read_text()):
            where = f"{name}:{line}: includes {operand}"
            is_ours = bracket == '"' or operand.split("/")[0] in ("penstock", *ROOMS)
            if not is_ours:
                continue
            if not operand.startswith(allowed):
                found.append(f"{where}, but may include only {', '.join(allowed)}")
            elif not any((Path(root) / base / operand).is_file() for base in ("", "include")):
                found.append(f"{where}, which does not exist")
    return found


def standard_only(root):
    """include/ and formats/ need nothing but the standard library, and formats/ no threads, files or streams of it."""
    found = []
    for path in code_files(root, ("include", "formats")):
        name = path.relative_to(root).as_posix()
        for line, bracket, operand in includes(path.read_text()):
            if bracket == '"' or operand.startswith(("penstock/", "formats/")):
                continue
            if operand not in STANDARD_HEADERS:
                found.append(f"{name}:{line}: <{operand}> is not the C++ standard library")
            elif name.startswith("formats/") and operand in NOT_IN_FORMATS:
                found.append(f"{name}:{line}: <{operand}>: formats/ has no threads, files or streams")
    return found


def no_exceptions_in_formats(root):
    """formats/ reports faults as values, so that the same text compiles for a device."""
    paths = code_files(root, ("formats",))
    return _lines_of(root, paths, r"\b(?:throw|try|catch)\b", "formats/ has no exceptions")


def pragma_once(root):
    """Every header begins with #pragma once, after its comment."""
    return [
        f"{path.relative_to(root)}:1: #pragma once is missing or not the first line of code"
        for path in code_files(root, (*ROOMS, "tests", "bench"), (".hpp", ".cuh"))
        if not re.match(r"\s*#pragma once\n", without_comments(path.read_text()))
    ]


def launches(root):
    """Kernels are launched in one place, which checks for errors and guards empty grids."""
    paths = [p for p in code_files(root) if p != Path(root) / "cuda/launch.cuh"]
    return _lines_of(root, paths, r"<<<", "launched outside cuda/launch.cuh")


# What cuda/vocabulary.cuh says that CUDA's own words are; everything else that begins with two underscores is beyond the
# vocabulary, for which the emulator has no meaning.
CUDA_WORDS = frozenset(
    """__global__ __device__ __syncthreads __syncwarp __shfl_sync __shfl_up_sync __shfl_down_sync __shfl_xor_sync
    __ballot_sync __any_sync __all_sync __threadfence __restrict__ __forceinline__ __noinline__ __CUDA_ARCH__ __CUDACC__""".split()
)


def vocabulary(root):
    """Kernels use the words of cuda/vocabulary.cuh, so that the emulator can run them and a reader knows them all."""
    found = []
    for path in code_files(root, ("cuda",)):
        if not path.is_relative_to(Path(root) / "cuda/kernels"):
            continue
        name = path.relative_to(root)
        for line, match in matches(path.read_text(), r"\b(__\w+|asm|atomic[A-Z]\w*|tex\w*Fetch|cooperative_groups|std::(?:min|max|sort|swap|memcpy))\b"):
            if match.group() not in CUDA_WORDS:
                found.append(f"{name}:{line}: is no word of cuda/vocabulary.cuh: {match.group()}")
    return found


def no_stdout(root):
    """Standard output carries data. Only the command line decides what goes there."""
    pattern = r"\bstd::(?:cout|print(?:ln)?)\b|(?<![\w.])(?:std::)?(?:v?w?printf|puts|putchar)\s*\(|\bstdout\b"
    paths = [p for p in code_files(root) if not _in_app(root, p)]
    return _lines_of(root, paths, pattern, "writes to standard output outside host/app")


def no_exits(root):
    """A library does not end its caller's process: errors are values or exceptions. A second Ctrl-C does."""
    pattern = r"\b(?:std::)?(?:abort|terminate|_?[eE]xit|quick_exit)\s*\("
    paths = [p for p in code_files(root) if not _in_app(root, p) and p.stem != "interrupt"]
    return _lines_of(root, paths, pattern, "ends the process")


def no_device_wide_waits(root):
    """Waits name a stream or an event: a wait for the whole device stops every other lane."""
    return _lines_of(root, code_files(root), r"\bcudaDeviceSynchronize\b", "waits for the whole device")


def no_naked_new(root):
    """Owners are containers and smart pointers; `new (std::align_val_t...)` may fill one with aligned memory."""
    new = r"(?<!operator )\bnew\b(?!\s*\(\s*std::align_val_t)"
    delete = r"(?<!operator )\bdelete\b(?!\s*[;,)])"
    c_heap = r"(?<![\w.:])(?:std::)?(?:malloc|calloc|realloc)\s*\("
    return _lines_of(root, code_files(root), f"{new}|{delete}|{c_heap}", "naked memory")


def no_regex(root):
    """<regex> is slow and recursive on long input."""
    return [
        f"{path.relative_to(root)}:{line}: includes <regex>"
        for path in code_files(root, (*ROOMS, "tests", "bench"))
        for line, _, operand in includes(path.read_text())
        if operand in ("regex", "regex.h")
    ]


def arithmetic_flags(root):
    """No flag, pragma or attribute lets a compiler change what arithmetic means (compiled.py checks what was used)."""
    root = Path(root)
    builds = [root / "CMakeLists.txt", root / "CMakePresets.json", root / "Makefile"]
    builds += [p for p in sorted(root.glob("*/**/CMakeLists.txt")) if not _is_ignored(root, p)]
    builds += [p for p in sorted((root / "scripts").rglob("*")) if p.is_file() and p.suffix != ".txt"]
    found = []
    for path in builds:
        if path.is_file():
            text = re.sub(r"(?m)^\s*#.*|(?<=\s)#\s.*", "", path.read_text())
            found += _search(root, path, text)
    for path in code_files(root, (*ROOMS, "tests", "bench")):
        found += _search(root, path, code_only(path.read_text()))
    return found


def _search(root, path, text):
    return [
        f"{path.relative_to(root)}:{text.count(chr(10), 0, m.start()) + 1}: changes arithmetic: {m.group()}"
        for m in UNSAFE_ARITHMETIC.finditer(text)
    ]


def _is_ignored(root, path):
    return path.relative_to(root).parts[0] in ("build", "third_party")


def file_lengths(root):
    """Files stay readable in one sitting. (A corpus is not for reading.)"""
    folders = (*ROOMS, "tests", "bench", "scripts")
    suffixes = (".hpp", ".cpp", ".cuh", ".cu", ".py", ".cmake", "")
    paths = [p for p in code_files(root, folders, suffixes) if "corpus" not in p.relative_to(root).parts]
    counts = [(p, len(p.read_text().splitlines())) for p in paths]
    return [f"{p.relative_to(root)}:{n}: {n} lines, at most {LINES_MAX}" for p, n in counts if n > LINES_MAX]


def format_folders(root):
    """A folder with a format.hpp is a format: it is in the list, and its specification and golden inputs lie beside it.
    (formats/core/format.hpp says what a format is.)"""
    root = Path(root)
    listing = root / "formats/formats.hpp"
    listed = {operand for _, _, operand in includes(listing.read_text())} if listing.is_file() else set()
    found = []
    for header in sorted(root.glob("formats/*/format.hpp")):
        folder, name = header.parent, header.relative_to(root).as_posix()
        if folder.name == "core":
            continue
        if name not in listed:
            found.append(f"formats/formats.hpp:1: does not include {name}")
        if not (folder / "README.md").is_file():
            found.append(f"{folder.relative_to(root)}/README.md:1: is missing")
        if not any(path.is_file() for path in folder.glob("corpus/**/*")):
            found.append(f"{folder.relative_to(root)}/corpus:1: is missing or empty")
    return found


RULES = {
    "doors": doors,
    "standard_only": standard_only,
    "no_exceptions_in_formats": no_exceptions_in_formats,
    "pragma_once": pragma_once,
    "launches": launches,
    "vocabulary": vocabulary,
    "no_stdout": no_stdout,
    "no_exits": no_exits,
    "no_device_wide_waits": no_device_wide_waits,
    "no_naked_new": no_naked_new,
    "no_regex": no_regex,
    "arithmetic_flags": arithmetic_flags,
    "file_lengths": file_lengths,
    "format_folders": format_folders,
}
