"""What stands under specs/, made from the code that decides what it says.

A page is made from what runs (the compiled tables, the Structs, the catalogue), never from a second list of it.
"""

from tools.specifications.pages import PAGES, SPECS, main

__all__ = ("PAGES", "SPECS", "main")
