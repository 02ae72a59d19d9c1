"""`python -m web.cli` is the command `flashback`."""

from web.cli import main

if __name__ == "__main__":
    main()
