"""PatchNCE: a patch of the translated picture must be recognised among others by its content.

Park et al. 2020 (arXiv:2007.15651), equation (3).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def patch_nce(queries: Tensor, keys: Tensor, temperature: float = 0.07) -> Tensor:
    """-log(exp(q·k / T) / Σ_j exp(q·k_j / T)), the mean over patches and pictures.

    Args:
        queries: (B, S, C) unit vectors of patches of the translated pictures.
        keys: (B, S, C) of the same patches of the pictures they come from; constants here.
            The other patches of the same picture are what a query must not be taken for.
        temperature: T.
    """
    logits = queries @ keys.detach().transpose(1, 2) / temperature
    count, patches = queries.shape[:2]
    own = torch.arange(patches, device=queries.device).expand(count, -1)
    return functional.cross_entropy(logits.flatten(0, 1), own.flatten())
