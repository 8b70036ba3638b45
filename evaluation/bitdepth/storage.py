"""Storage that embeddings take, without running anything."""


def storage_mib(vectors: int, *, bits: int, dim: int = 512) -> float:
    """MiB (2^20 bytes) of `vectors` embeddings of `dim` values, each row in whole bytes."""
    return vectors * -(-dim * bits // 8) / 2**20
