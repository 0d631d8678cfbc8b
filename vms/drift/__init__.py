"""The clusters against the ledger, all the time: what changed or went, and what nobody stands for."""
