"""What can go wrong on somebody's machine, said so that they can act on it."""


class LocalError(Exception):
    """A fault of the machine, not of the program: one sentence that says what is, one that says what to do."""

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.sentence} {self.remedy}"


def unusable(error: OSError) -> LocalError:
    """The fault of a file that the system keeps from this user."""
    return LocalError(
        f"{error.filename} cannot be used: {error.strerror}.",
        "Give this user access, free space, or choose other folders by THROUGHLINE_HOME and THROUGHLINE_CACHE.",
    )
