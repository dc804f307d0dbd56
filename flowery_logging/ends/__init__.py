"""How a process ends, and what is written then: signals, `os._exit`, children of its own."""
