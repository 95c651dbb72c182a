"""A loaded TensorRT plan at work: pictures in, probabilities out. Imports no TensorRT itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.backends import check_depth, check_grid, check_picture, check_probability
from engine.backends.cuda import Driver, Gpu, Lane
from engine.bundle import DEPTH, OUTPUT, ModelBundle
from engine.card import CardGrid
from engine.errors import BackendError
from engine.types import Image


class PlanRunner:
    """A loaded plan with its way through the GPU.

    Args:
        engine: the loaded plan.
        bundle: whose network it is.
        driver, gpu: where it runs.
        kernels: compiled by an earlier runner of this plan; only TensorRT for RTX has them.
    """

    def __init__(
        self, engine: Any, bundle: ModelBundle, driver: Driver, gpu: Gpu, kernels: bytes = b""
    ) -> None:
        self._size = size = bundle.input.size
        self._compiled, self._context = _context(engine, kernels)
        if self._context is None:
            raise BackendError(
                "The GPU has too little memory for this network.",
                "Close other programs that use the GPU, or --backend openvino",
            )
        self._lane = Lane(driver, gpu, (1, size, size, 3), answers_of(bundle))
        try:
            self._context.set_tensor_address(bundle.input.name, self._lane.input_address)
            for name, address in self._lane.output_addresses.items():
                self._context.set_tensor_address(name, address)
            # The first picture makes TensorRT choose its kernels; only then can a graph be taken.
            self.infer(np.zeros((size, size, 3), np.uint8))
            self.is_graph = self._lane.capture(self._enqueue)
        except BackendError:
            self.close()
            raise

    def infer(self, image: Image) -> NDArray[np.float32]:
        """(size, size, 3) uint8 RGB → (2, size, size) probabilities."""
        check_picture(image, self._size)
        answers = self._lane.run(image, self._enqueue)
        return check_probability(answers[OUTPUT], self._size)

    def infer_on_card(self, grid: CardGrid) -> NDArray[np.float32]:
        """The same for a picture that is on the card and complete."""
        check_grid(grid, self._size)
        answers = self._lane.run_from(grid.address, self._enqueue)
        return check_probability(answers[OUTPUT], self._size)

    def depth(self) -> NDArray[np.float32] | None:
        """(size, size) depth in the picture inferred last; None where the network gives none."""
        answer = self._lane.answers.get(DEPTH)
        return None if answer is None else check_depth(answer, self._size)

    def kernels(self) -> bytes:
        """What was compiled for the GPU so far; empty where that is in the plan itself."""
        return b"" if self._compiled is None else bytes(self._compiled.serialize())

    def close(self) -> None:
        """Give the GPU's memory back."""
        self._context = self._compiled = None
        self._lane.close()

    def _enqueue(self, stream: int) -> None:
        if not self._context.execute_async_v3(stream):
            raise BackendError("TensorRT failed on the GPU.", "Open the video again.")


def answers_of(bundle: ModelBundle) -> dict[str, tuple[int, ...]]:
    """Shapes of what a bundle's network gives, by name."""
    size = bundle.input.size
    depth = {DEPTH: (1, 1, size, size)} if bundle.has_depth else {}
    return {OUTPUT: (1, 2, size, size), **depth}


def _context(engine: Any, kernels: bytes) -> tuple[Any, Any]:
    """(compiled kernels or None, context): TensorRT for RTX compiles kernels when a plan runs."""
    if not hasattr(engine, "create_runtime_config"):
        return None, engine.create_execution_context()
    config = engine.create_runtime_config()
    if not hasattr(config, "create_runtime_cache"):
        return None, engine.create_execution_context()
    compiled = config.create_runtime_cache()
    if kernels:
        compiled.deserialize(kernels)  # False where they do not fit any more: compiled anew
    config.set_runtime_cache(compiled)
    return compiled, engine.create_execution_context(config)
