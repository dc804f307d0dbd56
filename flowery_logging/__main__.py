"""`python -m flowery_logging …` does what `flowery-logging …` does."""

from flowery_logging.cli import main

if __name__ == "__main__":
    main()
