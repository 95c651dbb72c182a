"""Where one thread leaves work for another: newest wins, or nothing is lost.

Both mailboxes can be closed; then `take` returns None at once and `put` does nothing, so a
worker waiting on either end always comes free.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """One slot. A new item replaces the one nobody took; replaced items are counted."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._is_fresh = False
        self._is_closed = False
        self._replaced = 0

    @property
    def replaced(self) -> int:
        """How many items were replaced before anybody took them."""
        with self._condition:
            return self._replaced

    def put(self, item: T) -> None:
        """Leave `item`; it replaces whatever was there."""
        with self._condition:
            if self._is_closed:
                return
            self._replaced += self._is_fresh
            self._item, self._is_fresh = item, True
            self._condition.notify()

    def take(self, timeout_s: float) -> T | None:
        """The newest item not taken yet, or None after `timeout_s` or once closed."""
        with self._condition:
            self._condition.wait_for(lambda: self._is_fresh or self._is_closed, timeout_s)
            if self._is_closed or not self._is_fresh:
                return None
            self._is_fresh = False
            return self._item

    def peek(self) -> T | None:
        """The newest item, taken or not; it stays where it is. Never waits."""
        with self._condition:
            return self._item

    def clear(self) -> None:
        """Forget the item without counting it as replaced."""
        with self._condition:
            self._item, self._is_fresh = None, False

    def close(self) -> None:
        """Wake whoever waits; nothing more is accepted or handed out."""
        with self._condition:
            self._is_closed = True
            self._condition.notify_all()


class Bounded(Generic[T]):
    """A queue of at most `capacity` items. A full queue makes the sender wait; nothing is lost."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a queue needs room for at least one item, not {capacity}")
        self._condition = threading.Condition()
        self._items: deque[T] = deque()
        self._capacity = capacity
        self._is_closed = False

    def __len__(self) -> int:
        """How many items wait."""
        with self._condition:
            return len(self._items)

    def put(self, item: T, timeout_s: float | None = None) -> bool:
        """Append `item`, waiting for room. False: closed, or no room within `timeout_s`."""
        with self._condition:
            self._condition.wait_for(
                lambda: len(self._items) < self._capacity or self._is_closed, timeout_s
            )
            if self._is_closed or len(self._items) >= self._capacity:
                return False
            self._items.append(item)
            self._condition.notify_all()
            return True

    def take(self, timeout_s: float | None = None) -> T | None:
        """The oldest item, or None after `timeout_s` or once closed."""
        with self._condition:
            self._condition.wait_for(lambda: bool(self._items) or self._is_closed, timeout_s)
            if self._is_closed or not self._items:
                return None
            item = self._items.popleft()
            self._condition.notify_all()
            return item

    def close(self) -> None:
        """Wake both ends; what is still queued is dropped."""
        with self._condition:
            self._is_closed = True
            self._items.clear()
            self._condition.notify_all()
