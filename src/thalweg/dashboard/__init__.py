"""The local live page over run folders: a small ASGI application, its guard, and the verb that serves it."""
