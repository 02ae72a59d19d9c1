"""Side data of frames, also of those that hold a kind of it that PyAV has no name for.

FFmpeg adds kinds (Exif of pictures is one), and PyAV then refuses to list any of such a frame.
"""

from av.sidedata.sidedata import Type


def _unnamed(cls: type[Type], value: int) -> Type:
    member = object.__new__(cls)
    vars(member).update(_name_=f"UNNAMED_{value}", _value_=value)
    return member


setattr(Type, "_missing_", classmethod(_unnamed))  # noqa: B010 - mypy knows no such attribute of it

__all__ = ["Type"]
