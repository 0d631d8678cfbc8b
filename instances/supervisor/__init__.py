"""The role that runs instances: it starts, watches and ends their processes, and writes down what is.

Processes are no children that end with it: after a death of its own it finds them again by their marks, takes back those
that somebody wants and ends the rest.
"""
