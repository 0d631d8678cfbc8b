"""Webhooks: URLs outside that are told of events, signed, at least once, and for three days if need be."""
