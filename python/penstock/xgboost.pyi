from collections.abc import Callable, Iterable, Sequence
from typing import Any

import xgboost as _xgboost

from penstock._loader import Loader, _Option, _Path

class DataIter(_xgboost.DataIter):
    loader: Loader
    def __init__(
        self,
        source: Loader | _Path | Iterable[_Path],
        *,
        feature_names: Sequence[str] | None = None,
        cache_prefix: str | None = None,
        release_data: bool | None = None,
        on_host: bool | None = None,
        min_cache_page_bytes: int | None = None,
        **options: _Option,
    ) -> None: ...
    def reset(self) -> None: ...
    def next(self, input_data: Callable[..., None]) -> bool: ...
