import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from types import TracebackType
from typing import Any, Literal, NamedTuple, NoReturn

from typing_extensions import Self

from penstock._batch import Batch

_Path = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_Columns = str | int | Sequence[str | int] | AbstractSet[str | int]
# What an option of the command line takes.
_Option = (
    str
    | int
    | float
    | bool
    | _Path
    | Sequence[str | int | float]
    | AbstractSet[str | int | float]
    | Mapping[str, int | float | str]
    | None
)

class EpochPlan(NamedTuple):
    records: int
    rejected: int
    steps: int
    last_rows: int
    dropped: int
    padded: int
    batch_size: int
    rank: int
    world_size: int

class Metrics(NamedTuple):
    batches: int
    records: int
    rejected: int
    text_bytes: int
    seconds: float
    waited_seconds: float
    blocked_seconds: float
    read_seconds: float
    cut_seconds: float
    decode_seconds: float
    assemble_seconds: float
    ready_bytes: int
    held_bytes: int
    threads: int

class Loader:
    def __init__(
        self,
        paths: _Path | Iterable[_Path],
        *,
        format: str | None = None,
        label: _Columns | None = None,
        batch_size: int = 1024,
        device: str = "auto",
        normalize: _Path | None = None,
        schema: _Path | None = None,
        shuffle: bool | Literal["none", "window", "exact"] | None = False,
        window: int | None = None,
        seed: int = 0,
        rank: int = 0,
        world_size: int = 1,
        remainder: Literal["keep", "drop", "pad"] = "keep",
        on_error: Literal["fail", "skip", "null"] = "fail",
        memory: int | str | None = None,
        prefetch: int | str | None = None,
        threads: int = 0,
        index: _Path | None = None,
        **options: _Option,
    ) -> None: ...
    def __iter__(self) -> Iterator[Batch]: ...
    def __len__(self) -> int: ...
    def __bool__(self) -> Literal[True]: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, *_: type[BaseException] | BaseException | TracebackType | None
    ) -> None: ...
    def __reduce__(self) -> NoReturn: ...
    def close(self) -> None: ...
    def plan(self) -> EpochPlan: ...
    @property
    def epoch(self) -> int: ...
    def set_epoch(self, epoch: int) -> None: ...
    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any], allow_modified: bool = False) -> None: ...
    @property
    def remainder(self) -> Literal["keep", "drop", "pad"]: ...
    @property
    def tensor_names(self) -> tuple[str, ...]: ...
    @property
    def num_features(self) -> int | None: ...
    @property
    def feature_names(self) -> tuple[str, ...]: ...
    @property
    def label_names(self) -> tuple[str, ...]: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    def metrics(self) -> Metrics: ...
    def metrics_text(self) -> str: ...
    def summary(self) -> str: ...
