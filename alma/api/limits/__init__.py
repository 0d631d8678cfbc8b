"""How often somebody may ask: token buckets that all processes share, in the figures of each family's document."""
