"""What pages show: small values computed from rows, so that templates only lay out."""
