"""The data plane: requests to models, by OpenAI's routes, Anthropic's and those of an instance itself.

A raw ASGI application beside Django. A request whose model serves costs no write and no query before it goes on: who
calls, what there is and how much of it is in use are known in memory, kept up to date by the event log, and what happened
is written down afterwards, many requests at once.
"""
