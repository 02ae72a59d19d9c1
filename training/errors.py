"""What is told to whoever started a training or an evaluation that cannot be done."""


class BadData(ValueError):
    """What was handed over cannot be used: data, a recipe, films; the message says what and why."""


class Missing(Exception):
    """What is needed is not here: drawings, a stage that comes first; the message says how to get it."""
