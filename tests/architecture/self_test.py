#!/usr/bin/env python3
"""Tests of the checks themselves: every rule accepts a small clean tree and finds what is planted for it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import compiled
from rules import RULES
from sources import code_only, includes

CLEAN = {
    "include/penstock/noun.hpp": "/// A noun.\n#pragma once\n\n#include <cstddef>\n",
    "formats/core/verb.hpp": '#pragma once\n\n#include "penstock/noun.hpp"\n',
    "formats/formats.hpp": '#pragma once\n#include "formats/pipes/format.hpp"\n',
    "formats/pipes/format.hpp": "#pragma once\n",
    "formats/pipes/README.md": "# pipes\n",
    "formats/pipes/corpus/plain.pipes": "1 | 2\n",
    "host/io/pipe.hpp": '#pragma once\n\n#include <unistd.h>\n\n#include "formats/core/verb.hpp"\n',
    "host/exec/make_executor.cpp": '#include "cuda/exec/engine.cuh"\n#include "host/io/pipe.hpp"\n',
    "host/app/main.cpp": '#include <cstdio>\n#include "host/io/pipe.hpp"\nint main() { std::printf("hello"); std::exit(0); }\n',
    "cuda/exec/engine.cuh": '#pragma once\n#include "formats/core/verb.hpp"\n',
    "cuda/launch.cuh": "#pragma once\ntemplate <class K> void launch(K kernel) { kernel<<<1, 1>>>(); }\n",
    "host/io/words.cpp": (
        "// std::cout, new T, abort() and kernel<<<1, 1>>>() in a comment are words\n"
        'char const* text = "printf( new delete <<< stdout"; char const* raw = R"x(abort() " )x"; long n = 1\'000\'000;\n'
        "struct S { S(S const&) = delete; }; char const quote = '\"'; /* new int */ int snprintf(int); int r = snprintf(1);\n"
        "auto* memory = new (std::align_val_t{64}) char[64]; void f(char* p) { ::operator delete[](p); }\n"
    ),
    "CMakeLists.txt": "# never -ffast-math\nadd_compile_options(-ffp-contract=off)\n",
    "scripts/tool": "#!/bin/sh\n",
}

# rule, file, content: what each rule must find. No content: the file or folder is missing.
PLANTED = [
    ("doors", "include/penstock/noun.hpp", '#pragma once\n#include "formats/core/verb.hpp"\n'),
    ("doors", "formats/core/verb.hpp", '#pragma once\n#include "host/io/pipe.hpp"\n'),
    ("doors", "formats/core/verb.hpp", '#pragma once\n#include "cuda/exec/engine.cuh"\n'),
    ("doors", "formats/core/verb.hpp", "#pragma once\n#include <host/io/pipe.hpp>\n"),
    ("doors", "host/io/pipe.hpp", '#pragma once\n#include "cuda/exec/engine.cuh"\n'),
    ("doors", "host/io/pipe.hpp", '#pragma once\n#include "host/app/main.hpp"\n'),
    ("doors", "host/ring/ring.hpp", '#pragma once\n#include "formats/core/verb.hpp"\n'),
    ("doors", "cuda/exec/engine.cuh", '#pragma once\n#include "host/io/pipe.hpp"\n'),
    ("doors", "host/io/other.cpp", '#include "pipe.hpp"\n'),
    ("doors", "host/io/other.cpp", '#include "../io/pipe.hpp"\n'),
    ("doors", "host/io/other.cpp", '#include "host/io/absent.hpp"\n'),
    ("standard_only", "include/penstock/noun.hpp", "#pragma once\n#include <rapidjson/reader.h>\n"),
    ("standard_only", "formats/core/verb.hpp", "#pragma once\n#include <unistd.h>\n"),
    ("standard_only", "formats/core/verb.hpp", "#pragma once\n#include <thread>\n"),
    ("standard_only", "formats/core/verb.hpp", "#pragma once\n#include <fstream>\n"),
    ("no_exceptions_in_formats", "formats/core/verb.hpp", "#pragma once\ninline void f() { throw 1; }\n"),
    ("pragma_once", "formats/core/verb.hpp", "inline int f() { return 1; }\n"),
    ("pragma_once", "host/io/pipe.hpp", "#ifndef PIPE\n#define PIPE\n#endif\n"),
    ("launches", "cuda/kernels/count.cu", "void f() { count_kernel<<<1, 32>>>(); }\n"),
    ("no_stdout", "host/io/other.cpp", "#include <iostream>\nvoid f() { std::cout << 1; }\n"),
    ("no_stdout", "host/io/other.cpp", 'void f() { printf("x"); }\n'),
    ("vocabulary", "cuda/kernels/count.cuh", "#pragma once\n__device__ int f(int x) { return __brev(x); }\n"),
    ("vocabulary", "cuda/kernels/count.cuh", "#pragma once\n__device__ void f(int* x) { atomicAdd(x, 1); }\n"),
    ("no_stdout", "cuda/kernels/count.cu", 'void f() { std::fputs("x", stdout); }\n'),
    ("no_exits", "host/io/other.cpp", "void f() { std::abort(); }\n"),
    ("no_exits", "host/io/other.cpp", "void f() { exit(1); }\n"),
    ("no_device_wide_waits", "cuda/exec/engine.cuh", "#pragma once\nvoid f() { cudaDeviceSynchronize(); }\n"),
    ("no_naked_new", "host/io/other.cpp", "int* f() { return new int(1); }\n"),
    ("no_naked_new", "host/io/other.cpp", "void f(int* p) { delete p; }\n"),
    ("no_naked_new", "host/io/other.cpp", "void* f() { return std::malloc(1); }\n"),
    ("no_regex", "host/io/other.cpp", "#include <regex>\n"),
    ("no_regex", "tests/unit/other.cpp", "#include <regex>\n"),
    ("arithmetic_flags", "CMakeLists.txt", "add_compile_options(-ffast-math)\n"),
    ("arithmetic_flags", "CMakePresets.json", '{"CMAKE_CXX_FLAGS": "-O2 -march=native"}\n'),
    ("arithmetic_flags", "cuda/CMakeLists.txt", "add_compile_options(--fmad=true)\n"),
    ("arithmetic_flags", "bench/CMakeLists.txt", "add_compile_options(-Ofast)\n"),
    ("arithmetic_flags", "scripts/tool", "#!/bin/sh\ng++ -ffp-contract=fast x.cpp\n"),
    ("arithmetic_flags", "host/io/other.cpp", "#pragma STDC FP_CONTRACT ON\n"),
    ("file_lengths", "host/io/other.cpp", "int x;\n" * 501),
    ("file_lengths", "scripts/tool", "echo\n" * 501),
    ("format_folders", "formats/formats.hpp", "#pragma once\n"),
    ("format_folders", "formats/pipes/README.md", None),
    ("format_folders", "formats/pipes/corpus", None),
]


def make_tree(root, *extra):
    """Writes CLEAN under `root`, then `extra` pairs of path and content over it."""
    for name, content in [*CLEAN.items(), *extra]:
        path = Path(root) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is not None:
            path.write_text(content)
        elif path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return Path(root)


class Trees(unittest.TestCase):
    def setUp(self):
        self._folder = tempfile.TemporaryDirectory()
        self.root = Path(self._folder.name)
        self.addCleanup(self._folder.cleanup)


class TextRules(Trees):
    def test_every_rule_accepts_the_clean_tree(self):
        make_tree(self.root)
        for name, rule in RULES.items():
            self.assertEqual(rule(self.root), [], name)

    def test_every_rule_has_a_planted_violation(self):
        self.assertEqual(set(RULES), {name for name, _, _ in PLANTED})

    def test_planted_violations_are_found(self):
        for name, file, content in PLANTED:
            with self.subTest(rule=name, content=str(content)[:60]), tempfile.TemporaryDirectory() as folder:
                complaints = RULES[name](make_tree(folder, (file, content)))
                self.assertEqual(len(complaints), 1, complaints)
                self.assertTrue(complaints[0].startswith(f"{file}:"), complaints)

    def test_comments_and_literals_are_not_code(self):
        text = 'int a; // b\nchar c = \'"\'; /* d\n e */ int f = 1\'000; auto g = R"(h " i)"; #include "j"\n'
        code = code_only(text)
        self.assertEqual(re.findall(r"\b[a-j]\b", code), ["a", "c", "f", "g"])
        self.assertEqual(code.count("\n"), text.count("\n"))

    def test_includes_are_read_with_their_lines(self):
        text = '// #include <no>\n#include <yes>\n  #  include "also"\n/*\n#include <no>\n*/\n'
        self.assertEqual(includes(text), [(2, "<", "yes"), (3, '"', "also")])


class CompiledRules(Trees):
    def headers(self):
        return compiled.headers_alone(self.root, self.root / "build/cache", "g++", [])

    def test_headers_that_do_not_compile_alone_are_found(self):
        make_tree(self.root)
        self.assertEqual(self.headers(), [])
        make_tree(self.root, ("formats/core/verb.hpp", "#pragma once\ninline std::size_t f() { return 1; }\n"))
        complaints = self.headers()  # also host/io/pipe.hpp, which includes it
        self.assertEqual([c.split()[0] for c in complaints], ["formats/core/verb.hpp", "host/io/pipe.hpp"])
        self.assertEqual(len(self.headers()), 2, "a failure must not be remembered as a pass")

    def test_warnings_in_headers_are_found(self):
        make_tree(self.root, ("formats/core/verb.hpp", "#pragma once\ninline char f(int x) { return x; }\n"))
        self.assertEqual(len(self.headers()), 2)

    def test_headers_without_a_guard_are_found(self):
        make_tree(self.root, ("host/io/other.hpp", "inline int f() { return 1; }\n"))
        self.assertIn("host/io/other.hpp", self.headers()[0])

    def test_flags_used(self):
        make_tree(self.root)
        good = "g++ -ffp-contract=off -O3 -o a.o -c host/app/main.cpp"
        for command, wrong in ((good, 0), (good.replace("-ffp-contract=off", ""), 1), (good + " -ffast-math", 1)):
            self.write_commands("host/app/main.cpp", command)
            self.assertEqual(len(compiled.flags_used(self.root, self.root / "build")), wrong, command)

    def test_shared_vector_code_is_found(self):
        shared = "template <class T> [[gnu::noinline]] T {name}(T x) {{ return x + 1; }}\n{type} g({type} x) {{ return {name}(x); }}\n"
        for name, type_, wrong in (("avx2_sum", "double", 0), ("sum", "int", 0), ("sum", "double", 1)):
            complaints = self.vector_complaints(shared.format(name=name, type=type_))
            self.assertEqual(len(complaints), wrong, (name, type_, complaints))

    def test_absent_objects_skip(self):
        make_tree(self.root)
        self.write_commands("host/exec/passes_avx2.cpp", "g++ -o absent.o -c host/exec/passes_avx2.cpp")
        with self.assertRaises(compiled.Skip):
            compiled.vector_objects(self.root, self.root / "build")

    def vector_complaints(self, content):
        make_tree(self.root, ("host/exec/passes_avx2.cpp", content))
        command = ["g++", "-O2", "-mavx2", "-o", "passes_avx2.o", "-c", "../host/exec/passes_avx2.cpp"]
        self.write_commands("host/exec/passes_avx2.cpp", " ".join(command))
        subprocess.run(command, cwd=self.root / "build", check=True)
        return compiled.vector_objects(self.root, self.root / "build")

    def write_commands(self, file, command):
        build = self.root / "build"
        build.mkdir(exist_ok=True)
        entry = {"directory": str(build), "file": str(self.root / file), "command": command}
        (build / "compile_commands.json").write_text(json.dumps([entry]))


if __name__ == "__main__":
    sys.exit(unittest.main())
