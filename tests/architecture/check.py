#!/usr/bin/env python3
"""Checks the house rules: check.py RULE... (default: all that need no build). Exit 0 they hold, 1 not, 77 not applicable.

    check.py doors no_naked_new
    check.py --build build/release headers_alone flags_used vector_objects
"""

import argparse
import sys
from pathlib import Path

import compiled
from rules import RULES

SKIPPED = 77  # as CTest's SKIP_RETURN_CODE


def compiled_rules(options):
    """The rules that need a compiler or a build folder, by name."""
    cache = options.build / "architecture" / "headers_alone.cache"
    return {
        "headers_alone": lambda root: compiled.headers_alone(root, cache, options.compiler, options.system),
        "flags_used": lambda root: compiled.flags_used(root, options.build),
        "vector_objects": lambda root: compiled.vector_objects(root, options.build),
    }


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", metavar="RULE", help="a rule of rules.py or compiled.py")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path, default=Path("build/release"), help="build folder")
    parser.add_argument("--compiler", default="g++", help="for headers_alone")
    parser.add_argument("--system", action="append", default=[], help="folder of third-party headers")
    options = parser.parse_args(arguments)
    known = {**RULES, **compiled_rules(options)}
    status = 0
    for name in options.rules or RULES:
        if name not in known:
            parser.error(f"no rule {name}; there are {', '.join(known)}")
        try:
            complaints = known[name](options.root)
        except compiled.Skip as reason:
            print(f"{name}: skipped: {reason}")
            status = status or SKIPPED
            continue
        for complaint in complaints:
            print(f"{name}: {complaint}")
        status = 1 if complaints else status
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
