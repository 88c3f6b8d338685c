"""What holds for every test: generated examples are the same in every run, so a failure can be had again."""

from hypothesis import settings

settings.register_profile("deterministic", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("deterministic")
