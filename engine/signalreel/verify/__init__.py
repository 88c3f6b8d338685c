"""What must hold of every state and every step, whatever happened before."""

__all__ = ()
