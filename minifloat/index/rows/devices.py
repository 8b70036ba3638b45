"""A copy of an index's rows on a device: what is added is copied, not all again."""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from minifloat.index.rows.snapshots import Snapshot
from minifloat.index.rows.store import Store
from minifloat.vectors import PackedVectors


class OnDevice:
    """Rows of snapshots on a device; those of main memory themselves where that is the device."""

    def __init__(self, device: str | torch.device) -> None:
        self.device = torch.device(device)
        self._lock = threading.Lock()
        self._store: Store | None = None
        self._fields: dict[str, Tensor] = {}
        self._count = 0

    def rows(self, snapshot: Snapshot) -> PackedVectors:
        """Return the rows of a snapshot."""
        return snapshot.vectors if self.device.type == "cpu" else self.copied(snapshot)

    def copied(self, snapshot: Snapshot) -> PackedVectors:
        """Return a copy of the rows of a snapshot, of which those that were copied before stay."""
        with self._lock:
            self._follow(snapshot)
            fields = {name: of_each[: snapshot.count] for name, of_each in self._fields.items()}
        return snapshot.store.kind.vectors(fields)

    def mask(self, mask: Tensor | None) -> Tensor | None:
        """Return which rows take part."""
        return None if mask is None else mask.to(self.device)

    def _follow(self, snapshot: Snapshot) -> None:
        """Copy rows that are not there yet; all of them where they have moved."""
        store, count = snapshot.store, snapshot.count
        if store is not self._store:
            self._store, self._fields, self._count = store, {}, 0
        if count <= self._count:
            return
        for name, (dtype, shape) in store.kind.fields().items():
            there = self._fields.get(name)
            if there is None or len(there) < count:
                # So that each row is moved once, on average.
                capacity = count if there is None else max(count, 2 * len(there))
                larger = torch.empty(capacity, *shape, dtype=dtype, device=self.device)
                if there is not None:
                    larger[: self._count] = there[: self._count]
                self._fields[name] = there = larger
            there[self._count : count] = store.fields[name][self._count : count].to(self.device)
        self._count = count
