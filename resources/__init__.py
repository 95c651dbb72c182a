"""Files that travel with the program: model bundles, the demo clip, icons."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent
BUNDLES = ROOT / "bundles"
DEFAULT_BUNDLE = BUNDLES / "haustra-folds"
DEMO_CLIP = ROOT / "demo" / "withdrawal.mp4"
