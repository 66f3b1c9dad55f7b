"""The processes that run the application: the zygote and the workers that it forks.

`zygote` imports the application once and forks; `link` is what a worker does with its link
to the edge; `load` finds and imports the application; `describe` makes its manifest; `threads`
names what a fork would leave behind; `control` speaks with the program.
Nothing here is for applications to import.
"""
