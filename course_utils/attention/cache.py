"""Writing one token at a time: keys and values are computed once and kept, and the new queries alone are asked."""

from torch import Tensor

from course_utils.attention.guards import require_boolean, require_pairs


class Cache:
    """Keys and values of one attention, kept in the order in which they came; empty at first.

    Shapes: keys (…, length, size), values (…, length, value size). `length` says how many there are. Room is made in
    powers of two, so that a token copies its own key and not, each time, all those before it. No gradient flows into
    what is kept.
    """

    def __init__(self) -> None:
        self.length = 0
        self._key: Tensor | None = None
        self._value: Tensor | None = None

    def __len__(self) -> int:
        return self.length

    @property
    def numbers(self) -> int:
        """How many numbers are kept; spare room is not counted."""
        return sum(part.numel() for part in self.kept) if self.length else 0

    @property
    def kept(self) -> tuple[Tensor, Tensor]:
        """All keys and values; raises ValueError where there are none yet."""
        if self._key is None or self._value is None:
            raise ValueError("cache: got none yet, expected keys and values that were appended")
        return self._key[..., : self.length, :], self._value[..., : self.length, :]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Adds new keys and values, and gives all there are.

        Shapes: key (…, new, size), value (…, new, value size) → (…, length, size), (…, length, value size).
        Raises ValueError for another number of values than of keys, or axes that differ from those kept.
        """
        require_pairs(key, value)
        self._key = self._with(self._key, key, "key")
        self._value = self._with(self._value, value, "value")
        self.length += key.shape[-2]
        return self.kept

    def rows(self, kept: Tensor) -> None:
        """Keeps these rows of the batch, in this order: a beam search drops beginnings and doubles others.

        Shapes: kept (rows), whole numbers; the batch is the first axis.
        """
        if self._key is not None and self._value is not None:
            self._key, self._value = self._key.index_select(0, kept), self._value.index_select(0, kept)

    def forget(self, length: int) -> None:
        """Keeps the first `length` keys only, as after a text that was tried and taken back.

        Raises ValueError for more than there are.
        """
        if not 0 <= length <= self.length:
            raise ValueError(f"length: got {length}, expected a number from 0 to {self.length}")
        self.length = length

    def _with(self, room: Tensor | None, new: Tensor, name: str) -> Tensor:
        stop = self.length + new.shape[-2]
        if room is None:
            room = new.new_empty(*new.shape[:-2], _power_of_two(stop), new.shape[-1])
        elif (*room.shape[:-2], room.shape[-1]) != (*new.shape[:-2], new.shape[-1]):
            expected = (*room.shape[:-2], "new", room.shape[-1])
            raise ValueError(f"{name}: got shape {tuple(new.shape)}, expected {expected}")
        elif stop > room.shape[-2]:
            wider = room.new_empty(*room.shape[:-2], _power_of_two(stop), room.shape[-1])
            wider[..., : self.length, :] = room[..., : self.length, :]
            room = wider
        room[..., self.length : stop, :] = new.detach()
        return room


def places(mask: Tensor) -> Tensor:
    """Says where each token of a padded batch stands in its own text; padding on the left is not counted.

    Shapes: mask (batch, length), True = a real token → (batch, length), whole numbers from 0; padding gets 0.
    Raises ValueError for a mask that is not boolean.
    """
    require_boolean(mask)
    return (mask.cumsum(-1) - 1).clamp(min=0)


def _power_of_two(number: int) -> int:
    return 1 << max(0, number - 1).bit_length()
