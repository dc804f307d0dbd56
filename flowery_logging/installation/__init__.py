"""What `setup()` puts into a process, and `shutdown()` takes out again."""
