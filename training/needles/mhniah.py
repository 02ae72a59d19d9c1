"""`flashback eval mhniah`: chains of pictures in a long film, each of which leads to the next."""

from training.needles.command import run_needles

if __name__ == "__main__":
    run_needles("mhniah", "1,2,3")
