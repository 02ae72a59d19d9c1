"""What a command raises when it did not work: a sentence for people and an exit code for scripts."""


class Failed(Exception):
    """The command did not work.

    Attributes:
        code: The exit code: 1 if it failed, 2 if what was asked for cannot be done as typed.
    """

    def __init__(self, message: str, code: int = 1) -> None:
        super().__init__(message)
        self.code = code
