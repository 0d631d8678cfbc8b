"""Pages of what is real: guests, clusters, and the registration of clusters."""
