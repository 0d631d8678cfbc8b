"""A blueprint as code of other tools: Terraform for the bpg provider, an Ansible playbook, or cloud-init."""

from blueprints.code.making import FORMATS, Code, make

__all__ = ["FORMATS", "Code", "make"]
