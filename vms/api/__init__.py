"""`/v1` of the Proxmox AI document: machines, and what is measured of them."""
