"""The viewer: a reel as a web page, served on this machine or written as one file.

Scripts and styles are in `static`, plain modules without any framework. They ask their source for what the reel is, for
its columns in parts, and for chunks of records told in full; the source is this package's server, or the file itself.
"""

from signalreel_adapters.viewer.about import About, about_of
from signalreel_adapters.viewer.page import EXPORT_RECORDS_MAX, TooLong, export_page, static_folder
from signalreel_adapters.viewer.serving import create_viewer, serve_viewer
from signalreel_adapters.viewer.tables import coverage_page

__all__ = (
    "EXPORT_RECORDS_MAX",
    "About",
    "TooLong",
    "about_of",
    "coverage_page",
    "create_viewer",
    "export_page",
    "serve_viewer",
    "static_folder",
)
