"""No call in the repository opens a pickle that could run code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("app", "engine", "train", "resources", "installer", "benchmarks")
CARELESS = {"pickle.load", "pickle.loads", "joblib.load", "dill.load", "torch.jit.load"}


@cache
def calls() -> tuple[tuple[str, str, ast.Call], ...]:
    return tuple(_calls())


def _calls() -> Iterator[tuple[str, str, ast.Call]]:
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    where = f"{path.relative_to(ROOT)}:{node.lineno}"
                    yield ast.unparse(node.func), where, node


def says(call: ast.Call, name: str, value: bool) -> bool:
    return any(
        word.arg == name and isinstance(word.value, ast.Constant) and word.value.value is value
        for word in call.keywords
    )


def test_every_load_of_torch_takes_weights_only() -> None:
    found = [(where, call) for name, where, call in calls() if name == "torch.load"]
    assert len(found) >= 3
    assert [where for where, call in found if not says(call, "weights_only", True)] == []


def test_no_load_of_numpy_allows_objects() -> None:
    found = [(where, call) for name, where, call in calls() if name in ("np.load", "numpy.load")]
    assert found
    assert [where for where, call in found if says(call, "allow_pickle", True)] == []


def test_nothing_is_unpickled_any_other_way() -> None:
    assert [(name, where) for name, where, _ in calls() if name in CARELESS] == []
