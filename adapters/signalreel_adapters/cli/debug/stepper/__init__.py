"""The terminal stepper: walking along a reel, forward and back, and seeing what each record did."""

__all__ = ()
