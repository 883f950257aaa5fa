#!/usr/bin/env python3
"""How fast columns of words are converted: `bench/words.py PENSTOCK [FOLDER]`.

Makes two CSV files, always the same: short rows (three words of 3 to 8 bytes, three numbers) and long ones (six words
of 4 to 40 bytes, two numbers), whose words are as frequent as words are (Zipf's law). Fits normalisers to them and
prints, for each conversion with one thread to /dev/null, the best of seven of the processor time of the whole command.
"""

import random
import resource
import string
import subprocess
import sys
import tempfile
from pathlib import Path

REPEAT = 7
SHORT = ("city,device=one-hot; shop=ordinal; tag=hash(8)", "city,shop,device,tag", 800_000)
LONG = ("a,b,f=one-hot; c,d,e=ordinal", "a,b,c,d,e,f", 400_000)


def words(rng, count, least, most):
    """Different ones, and weights of their frequency."""
    found = set()
    while len(found) < count:
        found.add("".join(rng.choices(string.ascii_lowercase + " ", k=rng.randint(least, most))).strip() or "x")
    listed = sorted(found)
    rng.shuffle(listed)
    return listed, [1 / (1 + i) for i in range(count)]


def column(rng, rows, count, least, most):
    listed, weights = words(rng, count, least, most)
    return rng.choices(listed, weights, k=rows)


def numbers(rng, rows):
    return [f"{rng.gauss(0, 1):.4f}" for _ in range(rows)]


def write(path, names, columns):
    with path.open("w") as file:
        file.write(",".join(names) + "\n")
        file.writelines(",".join(row) + "\n" for row in zip(*columns))


def make_short(path):
    rng, rows = random.Random(1), SHORT[2]
    texts = [column(rng, rows, *of) for of in ((20, 4, 8), (20_000, 6, 6), (3, 6, 7), (500, 3, 5))]
    label = [str(rng.randrange(2)) for _ in range(rows)]
    write(path, "y,city,shop,device,tag,p,q".split(","), [label, *texts, numbers(rng, rows), numbers(rng, rows)])


def make_long(path):
    rng, rows = random.Random(2), LONG[2]
    sizes = ((12, 4, 12), (50, 8, 20), (200, 8, 24), (3_000, 16, 32), (12_000, 16, 40), (8, 4, 12))
    label = [str(rng.randrange(2)) for _ in range(rows)]
    texts = [column(rng, rows, *of) for of in sizes]
    write(path, "y,a,b,c,d,e,f,u,v".split(","), [label, *texts, numbers(rng, rows), numbers(rng, rows)])


def seconds(command):
    best = None
    for _ in range(REPEAT):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
        best = used if best is None else min(best, used)
    return best


def measure(binary, folder, name, make, spec, texts):
    path, fitted = folder / f"{name}.csv", folder / f"{name}.json"
    make(path)
    usual = ("-j1", "-q", "-f")
    fit = (binary, "fit", path, "--label", "y", "--normalize", spec, "-o", fitted, *usual)
    out = ("--to", "recordio", "-o", "/dev/null", *usual)
    for what, command in (
        ("words ignored", (binary, "convert", path, "--label", "y", "--ignore", texts, *out)),
        ("fit", fit),
        ("normalised", (binary, "convert", path, "--normalize", fitted, *out)),
    ):
        used = seconds(command)
        size = path.stat().st_size
        print(f"{name:6} {size / 1e6:4.0f} MB  {what:14} {used:6.3f} s  {size / used * 1e-9:5.2f} GB/s", flush=True)


def main(arguments):
    if len(arguments) not in (2, 3):
        sys.exit(__doc__)
    binary = str(Path(arguments[1]).resolve())
    with tempfile.TemporaryDirectory(dir=arguments[2] if len(arguments) == 3 else None) as folder:
        measure(binary, Path(folder), "short", make_short, *SHORT[:2])
        measure(binary, Path(folder), "long", make_long, *LONG[:2])


if __name__ == "__main__":
    main(sys.argv)
