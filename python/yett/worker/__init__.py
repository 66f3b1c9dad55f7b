"""The processes that run the application: the zygote and the workers that it forks.

`zygote` imports the application once and forks; `link` and `asgi` are what a worker of WSGI or
ASGI does with its link to the edge, `lifespan` tells an ASGI application of it; `load` finds
and imports the application; `describe` makes its manifest; `threads` names what a fork would
leave behind; `control` speaks with the program. Nothing here is for applications to import.
"""
