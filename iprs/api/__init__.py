"""REST views of IPRs and deployments."""
