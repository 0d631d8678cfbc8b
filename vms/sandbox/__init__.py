"""The Proxmox VE sandbox: a simulator that clients written for Proxmox VE cannot tell apart on what it models."""
