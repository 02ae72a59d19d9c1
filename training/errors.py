"""What is told to whoever started a training or an evaluation that cannot be done."""


class BadData(ValueError):
    """What was handed over cannot be used: data, a recipe, films; the message says what and why."""
