"""Things go wrong on purpose, and the score is counted: `make chaos`."""
