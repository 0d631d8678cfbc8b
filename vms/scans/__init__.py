"""Scans: settings of guests, nodes and clusters, judged by rules against what they should be. A scan changes nothing."""
