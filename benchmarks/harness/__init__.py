"""How anything is measured: cases, contests, clocks and records, whatever the operations are."""
