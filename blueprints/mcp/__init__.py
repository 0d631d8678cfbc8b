"""The tools over the Model Context Protocol: the same register, the same rights, over HTTP and over stdin and stdout."""
