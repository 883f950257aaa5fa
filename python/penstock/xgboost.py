"""Batches for XGBoost: an iterator that QuantileDMatrix, ExtMemQuantileDMatrix and DMatrix take.

    batches = penstock.xgboost.DataIter("train/", label="y", batch_size=1_000_000)
    matrix = xgboost.QuantileDMatrix(batches)
"""

import inspect

from penstock._batch import CsrTensor, RaggedTensor
from penstock._errors import ConfigurationError
from penstock._loader import Loader
from penstock._optional import needed

_xgboost = needed("xgboost", "penstock.xgboost")

_ROWS = 65_536  # of a batch: XGBoost works on few large ones


def _matrix(part):
    """What XGBoost takes of features or a role without a copy: NumPy, SciPy, or CuPy, which it needs itself for device data."""
    if isinstance(part, CsrTensor):
        return part.to_scipy()
    if part.device == "cpu":
        return part.numpy()
    return needed("cupy", "penstock.xgboost with batches on a CUDA device").from_dlpack(part)


class _Queries:
    """XGBoost takes a query that goes on in the next batch for two. So rows of the last query of a batch wait until the
    next batch, or the end, says that it is complete."""

    def __init__(self):
        self._waiting = None  # as fields, or None

    def complete(self, fields):
        """The rows of all complete queries; None if there are none yet."""
        fields = self._joined(fields)
        qid = fields["qid"]
        if not len(qid):  # nothing but padding
            self._waiting = fields
            return None
        if (qid[1:] < qid[:-1]).any():
            raise ConfigurationError(
                "query ids descend from one record to the next",
                "XGBoost wants records of a query together, in ascending order of query ids: no shuffle.",
            )
        first_of_last = int(qid.searchsorted(qid[-1]))
        self._waiting = {name: value[first_of_last:].copy() for name, value in fields.items()}
        return {name: value[:first_of_last] for name, value in fields.items()} if first_of_last else None

    def rest(self):
        """The last query; None if there is none."""
        waiting, self._waiting = self._waiting, None
        return waiting

    def _joined(self, fields):
        if self._waiting is None:
            return fields
        return {name: _stacked(self._waiting[name], value) for name, value in fields.items()}


def _stacked(above, below):
    if hasattr(above, "indptr"):
        return needed("scipy.sparse", "penstock.xgboost").vstack([above, below], format="csr")
    return needed("numpy", "penstock.xgboost").concatenate([above, below])


def _with_weights_of_queries(fields):
    """Of queries XGBoost takes one weight each: that of its first record."""
    if "qid" not in fields or "weight" not in fields:
        return fields
    qid = fields["qid"]
    is_first = needed("numpy", "penstock.xgboost").append(True, qid[1:] != qid[:-1])[: len(qid)]
    return {**fields, "weight": fields["weight"][is_first]}


def _names_of(loader):
    names = list(loader.feature_names)
    for name in names:
        if any(byte in name for byte in "[]<"):
            raise ConfigurationError(
                f"XGBoost takes no name of a feature with [, ] or < in it, and one is {name!r}",
                "feature_names= gives others, and feature_names=[] none.",
            )
    return names or None


class DataIter(_xgboost.DataIter):
    """All batches of one epoch of a loader, again and again: every pass has the same rows in the same order.

    source: a Loader, or the paths of one; then `options` are its options, and batch_size is 65,536 unless given. Dense
    features are NumPy arrays, or CuPy's on the CUDA device; sparse ones are scipy.sparse.csr_matrix on the host, whose absent
    pairs XGBoost takes for missing. label, weight, qid, base_margin and names of the features go along, padding does not.
    Records of a query are never torn apart, and of their weights the first counts; this is done on the host
    (device="cpu").

    feature_names: instead of the input's; [] is none at all. cache_prefix and further keywords that xgboost.DataIter knows
    (release_data, on_host, min_cache_page_bytes) are its.
    """

    def __init__(
        self,
        source,
        *,
        feature_names=None,
        cache_prefix=None,
        release_data=None,
        on_host=None,
        min_cache_page_bytes=None,
        **options,
    ):
        own = {"release_data": release_data, "on_host": on_host, "min_cache_page_bytes": min_cache_page_bytes}
        own = {name: value for name, value in own.items() if value is not None}
        unknown = own.keys() - inspect.signature(_xgboost.DataIter.__init__).parameters.keys()
        super().__init__(cache_prefix=cache_prefix, **{name: own[name] for name in own.keys() - unknown})
        if unknown:
            raise ConfigurationError(
                f"XGBoost {_xgboost.__version__} has no {', '.join(sorted(unknown))}", "A newer one has: pip install -U xgboost"
            )
        if isinstance(source, Loader) and options:
            raise ConfigurationError(f"options of a loader that is there already: {', '.join(options)}")
        self.loader = source if isinstance(source, Loader) else Loader(source, **{"batch_size": _ROWS, **options})
        self._epoch = self.loader.epoch
        self._names = _names_of(self.loader) if feature_names is None else list(feature_names) or None
        self._batches = iter(self.loader)
        self._queries = _Queries()

    def reset(self):
        """Back to the first batch of the epoch."""
        self.loader.set_epoch(self._epoch)
        self._batches = iter(self.loader)
        self._queries = _Queries()

    def next(self, input_data):
        """Gives the next batch to XGBoost; false at the end."""
        fields = self._next_fields()
        if fields is None:
            return False
        fields = _with_weights_of_queries(fields)
        # A new object each time: XGBoost keeps what it made of one by its identity.
        input_data(data=fields.pop("features"), feature_names=self._names, **fields)
        return True

    def _next_fields(self):
        for batch in self._batches:
            fields = self._fields_of(batch)
            if "qid" in fields:
                fields = self._queries.complete(fields)
            if fields is not None:
                return fields
        return self._queries.rest()

    def _fields_of(self, batch):
        if "features" not in batch:
            raise ConfigurationError("XGBoost trains on features, and the input has none")
        if isinstance(batch.get("label"), RaggedTensor):
            raise ConfigurationError("XGBoost takes the same number of labels of each record")
        if "qid" in batch and batch.device != "cpu":
            raise ConfigurationError("records of queries are put together on the host", 'Use device="cpu".')
        names = ("features", "label", "weight", "qid", "base_margin")
        fields = {name: _matrix(batch[name]) for name in names if name in batch}
        if batch.valid_rows == batch.rows:
            return fields
        return {name: value[: batch.valid_rows] for name, value in fields.items()}
