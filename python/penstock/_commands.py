"""Commands of the command line as functions. Options are spelled as in Loader; answers are what `--json` prints.

What would end the command with an error is raised. Ctrl-C interrupts a command, which leaves no half-written files.
"""

import json
import os
import sys
import tempfile

from penstock import _options, _penstock
from penstock._batch import Batch


def _run(verb, inputs, options):
    return _penstock.run_command(_options.command_words(verb, inputs, options))


def _report(verb, inputs, options):
    _, output, _ = _run(verb, inputs, {**options, "json": True})
    return json.loads(output)


def convert(inputs, output, **options):
    """Writes the records of `inputs` to the file `output`, whose suffix says the format (or `to`). Returns the summary: a
    dict of records, rejected, outputs, seconds, ... SinkError if `output` exists, unless force=True."""
    return _report("convert", inputs, {**options, "output": output})


def stats(inputs, **options):
    """What each column holds: a dict with `rows` and a list `columns`. With `column` and `statistic` one value."""
    return _report("stats", inputs, options)


def inspect(inputs, **options):
    """What the inputs are: format, dialect, columns, types, exact counts."""
    return _report("inspect", inputs, options)


def head(inputs, records=10, **options):
    """The first `records` decoded records, a list of dicts."""
    _, output, _ = _run("head", inputs, {**options, "records": records, "json": True})
    return [json.loads(line) for line in output.splitlines()]


def fit(inputs, output=None, **options):
    """Fits a normaliser: `Loader(..., normalize=output)` and `convert(..., normalize=output)` apply it. Returns `output`,
    or without one the normaliser itself, a dict."""
    if output is None:
        with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
            file = fit(inputs, os.path.join(folder, "normalizer.json"), **options)
            with open(file, encoding="utf-8") as fitted:
                return json.load(fitted)
    _run("fit", inputs, {**options, "output": output})
    return output


def denormalize(inputs, output, normalize, **options):
    """The reverse of convert(..., normalize=normalize), as far as that can be undone. Returns the summary."""
    return _report("denormalize", inputs, {**options, "output": output, "normalize": normalize})


def diff(a, b, **options):
    """Compares two inputs of any format record by record. Returns the report, whose "same" is a bool."""
    return _report("diff", [*_options.path_list(a), *_options.path_list(b)], options)


def validate(inputs, **options):
    """What a real reader would stumble over in RecordIO-protobuf files. Returns the report, whose "ok" is a bool."""
    return _report("validate", inputs, options)


def doctor():
    """What this build and this machine have, and the outcome of a self-test."""
    return json.loads(_penstock.run_command(["doctor", "--json"])[1])


def read(paths, *, memory=None, threads=0, device="cpu", **options):
    """All records as one Batch in host memory. Options are those of Loader that say how the input is read."""
    _options.check_names("convert", options, read.__kwdefaults__)
    numbers = {"memory": memory, "threads": threads}
    return _penstock.read(Batch, _options.of_input(paths, numbers, {**options, "device": device}))


def main():
    """The command line, for the script `penstock`. Standard streams and signals are the process's own."""
    if sys.stdout is not None:
        sys.stdout.flush()
    status = _penstock.run_program([os.fsdecode(word) for word in sys.argv[1:]])
    sys.exit(status)
