"""Everything the user can do by key or button, as one table. F1 shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.icons import icon


class ActionId(StrEnum):
    """Names of the actions."""

    OPEN = "open"
    OPEN_LIVE = "open_live"
    PLAY = "play"
    STEP_FORWARD = "step_forward"
    STEP_BACK = "step_back"
    SECOND_FORWARD = "second_forward"
    SECOND_BACK = "second_back"
    FAR_FORWARD = "far_forward"
    FAR_BACK = "far_back"
    START = "start"
    END = "end"
    SLOWER = "slower"
    FASTER = "faster"
    NORMAL_SPEED = "normal_speed"
    LOOP = "loop"
    OVERLAY = "overlay"
    FILL = "fill"
    MODE = "mode"
    BACKEND = "backend"
    FULL_SCREEN = "full_screen"
    SELF_TEST = "self_test"
    HELP = "help"
    DISMISS = "dismiss"
    RECORD = "record"
    QUIT = "quit"


@dataclass(frozen=True, slots=True)
class ActionRow:
    """One row of the table."""

    id: ActionId
    group: str
    text: str
    keys: tuple[str, ...]
    """Key sequences in Qt's portable notation; the first is the one shown on buttons."""
    tooltip: str
    icon: str = ""
    """Name of a drawing in `app.icons`, or empty."""


_A = ActionId
ACTIONS: tuple[ActionRow, ...] = (
    ActionRow(_A.OPEN, "File", "Open", ("Ctrl+O",), "Open a recording or a picture", "open"),
    ActionRow(
        _A.OPEN_LIVE, "File", "Open live input", ("Ctrl+L",), "Open a capture device or a stream"
    ),
    ActionRow(
        _A.RECORD,
        "File",
        "Record",
        ("Ctrl+R",),
        "Record what plays, or end that",
        "record",
    ),
    ActionRow(_A.QUIT, "File", "Quit", ("Ctrl+Q",), "Close the window"),
    ActionRow(_A.PLAY, "Playback", "Play or pause", ("Space",), "Play or pause", "play"),
    ActionRow(
        _A.STEP_FORWARD, "Playback", "One frame on", (".", "F"), "One frame on", "step_forward"
    ),
    ActionRow(
        _A.STEP_BACK, "Playback", "One frame back", (",", "D"), "One frame back", "step_back"
    ),
    ActionRow(_A.SECOND_FORWARD, "Playback", "1 s on", ("Right",), "One second on"),
    ActionRow(_A.SECOND_BACK, "Playback", "1 s back", ("Left",), "One second back"),
    ActionRow(_A.FAR_FORWARD, "Playback", "5 s on", ("Shift+Right",), "Five seconds on"),
    ActionRow(_A.FAR_BACK, "Playback", "5 s back", ("Shift+Left",), "Five seconds back"),
    ActionRow(_A.START, "Playback", "Start", ("Home",), "To the first frame", "start"),
    ActionRow(_A.END, "Playback", "End", ("End",), "To the last frame", "end"),
    ActionRow(_A.SLOWER, "Playback", "Slower", ("[",), "Play slower", "slower"),
    ActionRow(_A.FASTER, "Playback", "Faster", ("]",), "Play faster", "faster"),
    ActionRow(_A.NORMAL_SPEED, "Playback", "Normal speed", ("Backspace",), "Play at normal speed"),
    ActionRow(
        _A.LOOP, "Playback", "Loop: from here, to here, off", ("L",), "Repeat a part", "loop"
    ),
    ActionRow(_A.OVERLAY, "Folds", "Show or hide the folds", ("O",), "Show or hide the folds"),
    ActionRow(_A.FILL, "Folds", "Fill or outline", ("C",), "Fill the folds or outline them"),
    ActionRow(
        _A.MODE,
        "Folds",
        "Matched or low latency",
        ("T",),
        "Each picture with its own folds, or the newest with folds moved along",
    ),
    ActionRow(
        _A.BACKEND,
        "Folds",
        "Choose the back end",
        ("Ctrl+B",),
        "Which back end finds the folds; the video goes on",
    ),
    ActionRow(_A.FULL_SCREEN, "Window", "Full screen", ("F11",), "Full screen", "full_screen"),
    ActionRow(
        _A.SELF_TEST,
        "Window",
        "Latency self-test",
        ("Ctrl+T",),
        "Play a numbered video and measure from decoded to painted",
        "self_test",
    ),
    ActionRow(_A.HELP, "Window", "Keys and about", ("F1", "?"), "Keys and about", "help"),
    ActionRow(
        _A.DISMISS, "Window", "Close a notice, leave full screen", ("Esc",), "Close the notice"
    ),
)
_ROWS: Mapping[ActionId, ActionRow] = {row.id: row for row in ACTIONS}


def row_of(action: ActionId) -> ActionRow:
    """The row of one action."""
    return _ROWS[action]


def keys_text(row: ActionRow) -> str:
    """The keys of a row as the user's system writes them: `F1 / ?`."""
    native = QKeySequence.SequenceFormat.NativeText
    return " / ".join(QKeySequence(key).toString(native) for key in row.keys)


def build_actions(
    parent: QWidget, handlers: Mapping[ActionId, Callable[[], None]]
) -> dict[ActionId, QAction]:
    """A QAction for every row, added to `parent` so that its keys work in the whole window.

    Raises:
        KeyError: a row has no handler.
    """
    actions: dict[ActionId, QAction] = {}
    for row in ACTIONS:
        action = QAction(row.text, parent)
        action.setShortcuts([QKeySequence(key) for key in row.keys])
        action.setToolTip(f"{row.tooltip} ({keys_text(row)})")
        if row.icon:
            action.setIcon(icon(row.icon))
        handler = handlers[row.id]
        action.triggered.connect(lambda _checked=False, act=handler: act())
        parent.addAction(action)
        actions[row.id] = action
    return actions
