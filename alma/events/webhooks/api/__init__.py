"""Webhooks over the API: as the Proxmox AI document has them, with a key, and as Alumia's does, for people alone."""
