#!/usr/bin/env python3
"""What a batch costs from Python beyond making it: batches that are ready are taken, their tensors looked at, and given up.

    PYTHONPATH=build/release/python bench/loader.py FILE [--label COLUMN]

FILE is CSV with some thousands of records. Prints microseconds a batch, the median of seven runs: of iterating alone, and with
NumPy arrays of features and label made.
"""

import statistics
import sys
import time

import penstock


def seconds_a_batch(loader, use):
    """Of batches that were made while nobody waited for them."""
    batches = iter(loader)
    next(batches)
    time.sleep(0.5)
    count = 1000
    begin = time.perf_counter()
    for _, batch in zip(range(count), batches):
        use(batch)
    return (time.perf_counter() - begin) / count


def look(batch):
    batch["features"].numpy(), batch["label"].numpy()


def main(words):
    label = words[words.index("--label") + 1] if "--label" in words else "0"
    loader = penstock.Loader(words[0], label=label, batch_size=4, prefetch="256MiB", index="none")
    for name, use in (("iterating", lambda batch: None), ("with NumPy arrays of two tensors", look)):
        runs = [1e6 * seconds_a_batch(loader, use) for _ in range(8)][1:]
        print(f"{name}: {statistics.median(runs):.2f} us a batch ({min(runs):.2f} to {max(runs):.2f})")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
