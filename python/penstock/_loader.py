"""The loader: batches of `batch_size` records, epoch after epoch."""

import atexit
import json
import weakref
from typing import NamedTuple

from penstock import _options, _penstock
from penstock._batch import Batch
from penstock._errors import ConfigurationError

_open = weakref.WeakSet()


@atexit.register
def _close_all():
    """The core's threads end before the interpreter does."""
    _penstock.begin_end()
    for loader in list(_open):
        loader._core.close_if_idle()


class EpochPlan(NamedTuple):
    """How an epoch is divided. All ranks have the same number of steps."""

    records: int  # accepted, of the whole data set
    rejected: int
    steps: int  # batches of each rank
    last_rows: int  # of this rank's last batch, padding not counted
    dropped: int  # records that no rank gets
    padded: int  # rows of all ranks that are padding
    batch_size: int
    rank: int
    world_size: int


class Metrics(NamedTuple):
    """What a loader did since it was made. Seconds of stages are those that their threads were at work, all together."""

    batches: int
    records: int
    rejected: int
    text_bytes: int  # that was decoded, decompressed
    seconds: float  # since the first batch was asked for
    waited_seconds: float  # of these in iteration, while no batch was ready
    blocked_seconds: float  # in which threads that make batches waited, because `prefetch` bytes were ready
    read_seconds: float
    cut_seconds: float
    decode_seconds: float
    assemble_seconds: float
    ready_bytes: int  # of batches that wait to be taken, now
    held_bytes: int  # of batches that were taken and still live, now
    threads: int


def _shuffle_word(shuffle):
    if shuffle is None or isinstance(shuffle, str):
        return shuffle or "none"
    if shuffle in (False, True):  # NumPy's too
        return "exact" if shuffle else "none"
    raise ConfigurationError(f"shuffle: there is no {shuffle!r}", "There are False, True, none, window, exact.")


class Loader:
    """Batches of records of text files, made ahead by threads of its own.

    paths: a path or a list of them: files, folders, patterns, FIFOs, "-". label, weight, qid, columns, ...: columns by
    name or number, one, or a list. batch_size: rows of a batch. device: "auto" (a CUDA device if there is one), "cpu",
    "cuda" or "cuda:N". normalize: a file that `penstock.fit` wrote, or transforms. schema: a schema file. shuffle: False,
    "window" (files in another order, and records within windows of `window` records), "exact" or True (every order is as
    likely; reads all records once first to index them). seed: another seed, another order; nothing else changes it. rank,
    world_size: which of how many processes this is; they are never taken from the environment. remainder: what becomes of
    records that do not fill the last batches: "keep" (smaller ones), "drop", or "pad" (copies of the last record, which
    `Batch.valid_rows` does not count). on_error: "fail", "skip", or "null". memory, prefetch: bytes, or texts such as
    "64MiB", of text and tensors on their way, and of batches made ahead. threads: 0 is one for each core. index: where
    the index of records is kept between runs, "none": nowhere.

    Every other keyword is an option of the command line with `_` for `-`: delimiter="tab", header=False, null=["", "?"],
    label_map={"no": 0, "yes": 1}, dtype="float64", index_base=1, ... docs/cli.md lists them.

    An iteration is one epoch:

        for epoch in range(10):
            for batch in loader:
                step(batch["features"], batch["label"])

    After load_state_dict() the first iteration is the rest of the epoch; else, if one was left before its end, the next
    iteration is the next epoch. A newer iteration ends an older one. One thread at a time gets a batch; others wait.

    Raises ConfigurationError, SourceError, SchemaError, DataError (with its place) and DeviceError, here or while
    iterating. Ctrl-C ends a wait. Does not go along when the process forks.
    """

    def __init__(
        self,
        paths,
        *,
        format=None,
        label=None,
        batch_size=1024,
        device="auto",
        normalize=None,
        schema=None,
        shuffle=False,
        window=None,
        seed=0,
        rank=0,
        world_size=1,
        remainder="keep",
        on_error="fail",
        memory=None,
        prefetch=None,
        threads=0,
        index=None,
        **options,
    ):
        _options.check_names("convert", options, Loader.__init__.__kwdefaults__)
        numbers = {
            "batch_size": batch_size,
            "window": window,
            "seed": seed,
            "rank": rank,
            "world_size": world_size,
            "memory": memory,
            "prefetch": prefetch,
            "threads": threads,
            "shuffle": _shuffle_word(shuffle),
            "remainder": remainder,
        }
        words = {
            "format": format,
            "label": label,
            "device": device,
            "normalize": normalize,
            "schema": schema,
            "on_error": on_error,
            "index": index,
        }
        self._remainder = remainder
        self._core = _penstock.Loader(Batch, _options.of_input(paths, numbers, {**words, **options}))
        _open.add(self)

    def __iter__(self):
        return self._core.iterate()

    def __len__(self):
        """Batches of this rank in a whole epoch. Counts the records first, where that was not done yet. TypeError where
        that cannot be, as of a FIFO."""
        try:
            return self._core.plan()["steps"]
        except ConfigurationError as error:
            raise TypeError(f"the loader has no length: {error}") from error

    def __bool__(self):
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __reduce__(self):
        raise TypeError(
            "a loader cannot be pickled, nor copied: a process makes a loader of its own, and state_dict() says where to "
            "go on"
        )

    def close(self):
        """Ends the loader's threads, and the wait of another thread for a batch; batches that were taken stay. It cannot
        be used afterwards."""
        self._core.close()
        _open.discard(self)

    def plan(self):
        """How an epoch is divided, an EpochPlan. Counts the records first, where that was not done yet."""
        return EpochPlan(**self._core.plan())

    @property
    def epoch(self):
        """The epoch of the next batch, from 0."""
        return self._core.epoch

    def set_epoch(self, epoch):
        """The next iteration is this epoch, from its first batch."""
        self._core.set_epoch(epoch)

    def state_dict(self):
        """Where the next batch stands, as a dict of a few hundred bytes of JSON types. The same on every rank behind the
        same step."""
        return json.loads(self._core.state())

    def load_state_dict(self, state, allow_modified=False):
        """Goes on there, with any number of ranks, batch size, threads and sizes of memory. ConfigurationError if the state
        is of another order or other options, SourceError if the files are not those of the state; `allow_modified`: files
        of the same names and sizes that were written again will do."""
        self._core.restore(json.dumps(state, separators=(",", ":")), allow_modified)

    @property
    def remainder(self):
        """What becomes of records that do not fill the last batches: "keep", "drop" or "pad"."""
        return self._remainder

    @property
    def tensor_names(self):
        """Names of the tensors of a batch."""
        return self._core.tensors()

    @property
    def num_features(self):
        """How many columns the features have; None if that is not known."""
        return self._core.feature_columns() or None

    @property
    def feature_names(self):
        """Names of the features' columns, a tuple; empty if the input has none."""
        return self._core.names("features")

    @property
    def label_names(self):
        """Names of the labels' columns, a tuple; empty if the input has none."""
        return self._core.names("label")

    @property
    def notes(self):
        """What was found out about the input, a tuple of lines: "delimiter: tab (sniffed)"."""
        return self._core.notes()

    def metrics(self):
        """What was done so far, Metrics. Any thread may ask, also while another one waits for a batch."""
        return Metrics(**self._core.metrics())

    def metrics_text(self):
        """The same for Prometheus, in text exposition format 0.0.4."""
        return self._core.metrics_text()

    def summary(self):
        """The same for people, in a line: rates, and how long the caller waited."""
        return self._core.summary()
