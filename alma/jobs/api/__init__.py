"""`/v1/jobs` of the Proxmox AI document."""
