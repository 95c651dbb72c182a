"""`haustra`: the window, and verbs that need none.

Only the verb that is asked for is imported, so that headless work never loads Qt.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from importlib import import_module, metadata

from engine.errors import HaustraError

VERBS: dict[str, str] = {
    "overlay": "paint the folds into a video file, and list them in a table",
    "record": "record a source as it plays, raw or with the folds, and list them beside it",
    "bench": "measure frame rate and latency on this machine",
    "build": "compile a model for this computer's GPU",
    "devices": "list capture devices and how to open them",
    "doctor": "say what works here, what is missing and what to do",
    "pictures": "take the README's pictures from the real window",
    "pattern": "write a test video whose frames carry their number",
}
"""Verb → what it does; the module is `app.commands.<verb>`."""

_DESCRIPTION = """\
Shows haustral folds in colonoscopy video as they happen.

  haustra                             open the window on the demo clip
  haustra exam.mp4                    open the window on a video, a folder or glob of pictures
  haustra overlay exam.mp4 -o out.mp4 --table folds.json
  haustra record exam.mp4 -o out.mkv --overlay folds.mkv
  haustra bench exam.mp4              is this machine fast enough?
  haustra build                       compile the model for an NVIDIA GPU
  haustra doctor                      what is missing here?

live sources, in place of exam.mp4:
  live:exam.mp4                       a recording, paced like a camera
  device:0                            a capture device; 'device:0?size=1920x1080&rate=60'
  rtsp://HOST/PATH                    RTSP over TCP; rtsp+udp://HOST/PATH over UDP
  udp://:PORT                         MPEG-TS sent here; tcp://HOST:PORT, srt://HOST:PORT fetched
  http://HOST/PATH                    MJPEG or MPEG-TS
  session.sdp                         RTP as that file describes it
  screen:0,0,1280x720                 a part of the screen, the last resort

`haustra VERB --help` explains a verb. A file that is called like a verb: ./overlay
"""
_EPILOGUE = """\
Exit codes: 0 done, 2 something is wrong with what was asked (the message says what and what to
do), 130 interrupted.

Research and training. Not for diagnosis."""

BAD_INPUT = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `haustra` with `arguments` (those of the process); returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except HaustraError as error:
        print(f"haustra: {error.what}", file=sys.stderr)
        if error.remedy:
            print(error.remedy, file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        print("haustra: interrupted", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output left; Python would complain again while flushing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BAD_INPUT


def _run(words: list[str]) -> int:
    if words and words[0] in VERBS:
        asked = _verb_parser(words[0]).parse_args(words)
        code: int = asked.run(asked)
        return code
    asked = _window_parser().parse_args(words)
    from app.application import run

    # Qt's loop never lets Python see Ctrl+C, so the system's own handling takes over meanwhile.
    ours = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return run(asked.source, asked.backend, asked.decoder)
    finally:
        signal.signal(signal.SIGINT, ours)


def _verb_parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="haustra", epilog=_EPILOGUE)
    import_module(f"app.commands.{verb}").add_parser(parser.add_subparsers())
    return parser


def _window_parser() -> argparse.ArgumentParser:
    from app.commands.overlay import add_decoder_argument

    verbs = "\n".join(f"  {name:10s} {what}" for name, what in VERBS.items())
    parser = argparse.ArgumentParser(
        prog="haustra",
        usage="haustra [SOURCE] [--backend NAME] [--decoder NAME]\n       haustra VERB ...",
        description=_DESCRIPTION + "\nverbs:\n" + verbs,
        epilog=_EPILOGUE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("source", nargs="?", metavar="SOURCE", help="what to open in the window")
    parser.add_argument("--backend", metavar="NAME", help="inference back end (the fastest here)")
    add_decoder_argument(parser)
    parser.add_argument("--version", action="version", version=f"haustra {version()}")
    return parser


def version() -> str:
    """Of the installed distribution."""
    try:
        return metadata.version("haustra")
    except metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    sys.exit(main())
