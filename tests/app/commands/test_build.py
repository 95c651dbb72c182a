"""`haustra build`, as far as it goes without a GPU."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import pytest

from app.__main__ import main
from app.commands import build
from app.commands.build import watch
from app.progress import describe_build
from engine.backends.plans import BuildProgress
from engine.backends.tensorrt import load_library
from engine.errors import BackendError
from tests.app.test_progress import Terminal
from tests.fakes import brightness_bundle

WAIT_S = 20.0


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return brightness_bundle(tmp_path / "bundle").path


@pytest.fixture
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("HAUSTRA_CACHE", str(folder))
    return folder


@pytest.fixture
def builder() -> None:
    try:
        library = load_library()
    except BackendError as error:
        pytest.skip(error.what)
    if library.flavour != "tensorrt_rtx":
        pytest.skip(f"{library.title} builds nothing without a GPU")


@pytest.mark.usefixtures("builder")
def test_a_build_for_other_gpus_is_tried_and_not_kept(
    bundle: Path, own_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(bundle), "--capability", "8.6, 12.0", "--precision", "FP32"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert ", fp32, capability 8.6: builds in" in told[0]
    assert ", fp32, capability 12.0: builds in" in told[1]
    assert not own_folder.exists()


@pytest.mark.usefixtures("builder")
def test_a_bundle_without_a_float16_network_is_built_in_float32_and_said_so(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(bundle), "--capability", "8.9"]) == 0
    captured = capsys.readouterr()
    assert ", fp32, capability 8.9" in captured.out
    assert "brightness has no float16 network" in captured.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--backend", "tensort"], "Did you mean tensorrt?"),
        (["--backend", "openvino"], "openvino has nothing to build."),
        (["--precision", "fp17"], "Known: fp32, bf16, fp16, int8."),
        (["--capability", "ada"], "nvidia-smi tells a card's"),
        (["--capability", "9.0"], "does not know compute capability 9.0"),
        (["--capability", "8.9", "--precision", "fp16"], "brightness has no fp16 network."),
        (["--capability", "8.9", "--precision", "bf16"], "Take fp16 or fp32."),
    ],
)
@pytest.mark.usefixtures("builder")
def test_what_cannot_be_built_is_explained(
    words: list[str], told: str, bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["build", str(bundle), *words]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.usefixtures("builder")
def test_without_a_gpu_it_says_what_it_needs(
    bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from engine.backends import cuda

    monkeypatch.setattr(cuda, "_DRIVER", "libcuda-that-is-not-here.so")
    cuda.open_driver.cache_clear()
    assert main(["build", str(bundle)]) == 2
    assert "TensorRT needs an NVIDIA GPU" in capsys.readouterr().err


def test_an_unknown_back_end_ends_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "pattern:128x64@5,frames=5", "--backend", "openvin"]) == 2
    assert "Did you mean openvino?" in capsys.readouterr().err


def test_a_build_gives_what_it_makes() -> None:
    assert watch(lambda progress: progress.fraction, io.StringIO()) == 0.0


def test_a_build_that_fails_says_so() -> None:
    def fail(_progress: BuildProgress) -> None:
        raise BackendError("It does not build.")

    with pytest.raises(BackendError, match="does not build"):
        watch(fail, io.StringIO())


def test_progress_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_REFRESH_S", 0.001)
    terminal = Terminal()
    shown = threading.Event()

    class Screen(Terminal):
        def write(self, text: str) -> int:
            if "50 %" in text:
                shown.set()
            return terminal.write(text)

    def work(progress: BuildProgress) -> None:
        progress.start_phase("whole", None, 2)
        progress.finish_step("whole", 0)
        assert shown.wait(WAIT_S)

    watch(work, Screen())
    assert "[##########..........] 50 %" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_interrupted_it_waits_until_the_builder_has_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(build, "_REFRESH_S", 0.001)
    cancelled = threading.Event()

    class Interrupting(Terminal):
        def write(self, text: str) -> int:
            if "%" in text:
                raise KeyboardInterrupt
            return len(text)

    def work(progress: BuildProgress) -> None:
        while progress.finish_step("whole", 0):
            cancelled.wait(0.001)
        cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        watch(work, Interrupting())
    assert cancelled.is_set()


@pytest.mark.parametrize(
    ("fraction", "left_s", "phase", "text"),
    [
        (0.3, 12.2, "Optimizing graph", "[######..............] 30 %, 12 s left, Optimizing graph"),
        (0.0, None, "", "[....................] 0 %"),
        (1.0, 0.0, "", "[####################] 100 %, 0 s left"),
    ],
)
def test_progress_of_a_build_in_words(
    fraction: float, left_s: float | None, phase: str, text: str
) -> None:
    assert describe_build(fraction, left_s, phase) == text
