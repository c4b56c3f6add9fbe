"""What every row of the board has in common: a key, an age, and when two of them say the same."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True, eq=False, tag_field="row"):
    """One fact; `seen_at` is the unix time (s) of the observation and takes no part in equality.

    `fresh` is False while the source can't be asked; the row then keeps its last values and `why` says the reason.
    """

    seen_at: float
    fresh: bool = True
    why: str = ""

    NUMBERS: ClassVar[frozenset[str]] = frozenset()
    """Fields that merely count: a change in these alone may wait up to a second before it is painted."""

    @property
    def key(self) -> str:
        """The identity of the thing this row is about, unique on the board, such as `member/core-01`."""
        raise NotImplementedError

    def _values(self, *, with_numbers: bool) -> tuple[Any, ...]:
        left_out = {"seen_at"} if with_numbers else {"seen_at", *self.NUMBERS}
        return tuple(getattr(self, name) for name in self.__struct_fields__ if name not in left_out)

    def same_state(self, other: Row) -> bool:
        """Whether both rows say the same but for numbers and age."""
        return type(self) is type(other) and self._values(with_numbers=False) == other._values(with_numbers=False)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other) or not isinstance(other, Row):
            return NotImplemented
        return self._values(with_numbers=True) == other._values(with_numbers=True)

    def __ne__(self, other: object) -> bool:
        # A struct brings one of its own, which would not ask the one above.
        return not self == other

    def __hash__(self) -> int:
        return hash((type(self), self.key))
