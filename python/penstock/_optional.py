"""Packages that penstock works with and does not need."""

import importlib

_PIP_NAMES = {"sklearn": "scikit-learn", "cupy": "cupy-cuda12x"}


def needed(module, for_what):
    """The module, or an ImportError that says how it is installed."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        root = module.partition(".")[0]
        package = _PIP_NAMES.get(root, root)
        raise ImportError(f"{for_what} needs {root}: pip install {package}", name=root) from error
