from __future__ import annotations

import threading

import pytest

from engine.mailbox import Bounded, Latest
from tests.fakes import WAIT_S


def test_the_newest_item_wins() -> None:
    slot: Latest[int] = Latest()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.take(0) == 3


def test_replaced_items_are_counted() -> None:
    slot: Latest[int] = Latest()
    for item in (1, 2, 3):
        slot.put(item)
    assert slot.replaced == 2


def test_an_item_that_was_taken_does_not_count_as_replaced() -> None:
    slot: Latest[int] = Latest()
    slot.put(1)
    slot.take(0)
    slot.put(2)
    assert slot.replaced == 0


def test_an_item_is_taken_only_once() -> None:
    slot: Latest[int] = Latest()
    slot.put(1)
    slot.take(0)
    assert slot.take(0) is None


def test_peeking_leaves_the_item_there() -> None:
    slot: Latest[int] = Latest()
    slot.put(1)
    slot.peek()
    assert slot.take(0) == 1


def test_a_cleared_slot_is_empty() -> None:
    slot: Latest[int] = Latest()
    slot.put(1)
    slot.clear()
    assert (slot.take(0), slot.peek(), slot.replaced) == (None, None, 0)


def test_closing_frees_whoever_waits_for_the_slot() -> None:
    slot: Latest[int] = Latest()
    waiter = threading.Thread(target=slot.take, args=(WAIT_S,))
    waiter.start()
    slot.close()
    waiter.join(WAIT_S / 2)
    assert not waiter.is_alive()


def test_a_closed_slot_accepts_nothing() -> None:
    slot: Latest[int] = Latest()
    slot.close()
    slot.put(1)
    assert slot.peek() is None


def test_a_queue_keeps_the_order() -> None:
    queue: Bounded[int] = Bounded(3)
    for item in (1, 2, 3):
        queue.put(item)
    assert [queue.take(0) for _ in range(3)] == [1, 2, 3]


def test_a_full_queue_refuses_after_its_time() -> None:
    queue: Bounded[int] = Bounded(1)
    queue.put(1)
    assert not queue.put(2, timeout_s=0)


def test_a_full_queue_makes_the_sender_wait_for_room() -> None:
    queue: Bounded[int] = Bounded(1)
    queue.put(1)
    sender = threading.Thread(target=queue.put, args=(2,))
    sender.start()
    assert [queue.take(WAIT_S), queue.take(WAIT_S)] == [1, 2]
    sender.join(WAIT_S)


def test_an_empty_queue_gives_none_after_its_time() -> None:
    assert Bounded[int](1).take(0) is None


def test_closing_frees_a_sender_who_waits_for_room() -> None:
    queue: Bounded[int] = Bounded(1)
    queue.put(1)
    sender = threading.Thread(target=queue.put, args=(2,))
    sender.start()
    queue.close()
    sender.join(WAIT_S / 2)
    assert not sender.is_alive()


def test_a_queue_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Bounded[int](0)


def test_a_queue_has_the_length_of_what_waits_in_it() -> None:
    queue: Bounded[int] = Bounded(3)
    queue.put(1)
    queue.put(2)
    queue.take()
    assert len(queue) == 1
