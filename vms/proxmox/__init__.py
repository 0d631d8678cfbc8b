"""The only code that talks to Proxmox."""
