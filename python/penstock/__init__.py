"""penstock: text records in, training input out.

    loader = penstock.Loader("train/", label="y", batch_size=1024, shuffle=True)
    for batch in loader:
        step(batch["features"], batch["label"])       # NumPy, PyTorch, JAX, CuPy, XGBoost, Arrow: without a copy

Loader and read() give batches; convert(), stats(), fit(), diff(), ... are the command line's verbs. penstock.torch has a
dataset for PyTorch, penstock.xgboost a DataIter.
"""

from penstock import _penstock

_penstock.check_interpreter()  # before anything is made that ends with an interpreter

from penstock._batch import Batch, CsrTensor, RaggedTensor, TextTensor
from penstock._commands import convert, denormalize, diff, doctor, fit, head, inspect, read, stats, validate
from penstock._errors import (
    ConfigurationError,
    DataError,
    DeviceError,
    Error,
    InternalError,
    Place,
    SchemaError,
    SinkError,
    SourceError,
)
from penstock._loader import EpochPlan, Loader, Metrics
from penstock._penstock import Tensor
from penstock._penstock import version as __version__

__all__ = [
    "Batch",
    "ConfigurationError",
    "CsrTensor",
    "DataError",
    "DeviceError",
    "EpochPlan",
    "Error",
    "InternalError",
    "Loader",
    "Metrics",
    "Place",
    "RaggedTensor",
    "SchemaError",
    "SinkError",
    "SourceError",
    "Tensor",
    "TextTensor",
    "__version__",
    "convert",
    "denormalize",
    "diff",
    "doctor",
    "fit",
    "head",
    "inspect",
    "read",
    "stats",
    "validate",
]

for _class in (Batch, CsrTensor, EpochPlan, Loader, Metrics, Place, RaggedTensor, TextTensor, *Error.__subclasses__(), Error):
    _class.__module__ = "penstock"  # what messages and pickles call it
del _class
