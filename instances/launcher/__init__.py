"""llama.cpp's own HTTP server inside a Python process, called as `llama-server` is: `python -m instances.launcher --help`.

It needs neither Django nor the database: what serves a model knows nothing of ALMA.
"""
