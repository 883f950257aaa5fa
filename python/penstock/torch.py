"""Batches as PyTorch tensors: a dataset for torch.utils.data.DataLoader, or to be iterated as it is.

    dataset = penstock.torch.IterableDataset("train/", label="y", batch_size=1024, shuffle=True)
    for batch in torch.utils.data.DataLoader(dataset, batch_size=None):
        step(batch["features"], batch["label"])
"""

from penstock._errors import ConfigurationError
from penstock._loader import Loader
from penstock._optional import needed

_data = needed("torch.utils.data", "penstock.torch")


class IterableDataset(_data.IterableDataset):
    """One epoch of a loader an iteration, as dicts of tensors that share the batches' memory.

    source: a Loader, or the paths of one; then `options` are its options. Values of the dicts are what Batch.to_torch()
    says; with remainder="pad" there is a mask `valid` too, False where a row is padding. On a CUDA device the current stream of PyTorch waits until tensors are complete.

    The loader has threads of its own, so a DataLoader needs batch_size=None and no workers. With workers each makes a
    loader of its own for its part of this rank's batches, on the CPU; `source` must be paths then, and set_epoch() must be
    called before each epoch (without persistent_workers they begin anew every time).

    state_dict() and load_state_dict() are those of the loader, so torchdata's StatefulDataLoader works too.
    """

    def __init__(self, source, **options):
        super().__init__()
        if isinstance(source, Loader) and options:
            raise ConfigurationError(f"options of a loader that is there already: {', '.join(options)}")
        self._loader = source if isinstance(source, Loader) else None
        self._source = None if isinstance(source, Loader) else source
        self._options = options
        self._epoch = None  # to be set when the loader is made
        self._state = None

    def __iter__(self):
        loader = self.loader
        for batch in loader:
            tensors = batch.to_torch()
            if loader.remainder == "pad":
                tensors["valid"] = batch.valid.torch()
            yield tensors

    def __len__(self):
        """Batches of this rank in a whole epoch, without worker processes: with them it depends on their number."""
        return len(self.loader)

    @property
    def loader(self):
        """The loader of this process, made when it is needed first."""
        worker = _data.get_worker_info()
        if worker is not None and self._source is None:
            raise ConfigurationError(
                "a loader does not go along to worker processes",
                "Give the dataset paths instead of a Loader, or the DataLoader num_workers=0.",
            )
        # A copy in a forked worker is of the parent's process; the first use there makes another.
        owner = None if worker is None else worker.id
        if self._loader is None or getattr(self, "_owner", owner) != owner:
            self._loader = self._made(worker)
            self._owner = owner
        return self._loader

    def _made(self, worker):
        options = dict(self._options)
        if worker is not None:
            if str(options.get("device", "auto")) not in ("auto", "cpu"):
                raise ConfigurationError(
                    f"device={options['device']!r} in a worker process", "num_workers=0: the loader has threads of its own."
                )
            options["device"] = "cpu"
            options["rank"] = (options.get("rank") or 0) * worker.num_workers + worker.id
            options["world_size"] = (options.get("world_size") or 1) * worker.num_workers
        loader = Loader(self._source, **options)
        if self._epoch is not None:
            loader.set_epoch(self._epoch)
        if self._state is not None:
            loader.load_state_dict(*self._state)
        self._epoch = self._state = None
        return loader

    def set_epoch(self, epoch):
        """The next iteration is this epoch."""
        self._epoch, self._state = epoch, None
        if self._loader is not None:
            self._loader.set_epoch(epoch)

    def state_dict(self):
        """Where the next batch stands: Loader.state_dict()."""
        return self.loader.state_dict()

    def load_state_dict(self, state, allow_modified=False):
        """Goes on there: Loader.load_state_dict()."""
        self._epoch, self._state = None, (state, allow_modified)
        if self._loader is not None:
            self._loader.load_state_dict(state, allow_modified)

    def __getstate__(self):
        """For workers that are spawned: each makes its own loader."""
        if self._source is None:
            raise ConfigurationError(
                "a dataset of a Loader cannot be pickled", "Give it paths, or the DataLoader num_workers=0."
            )
        return {**self.__dict__, "_loader": None}
