"""Write the pages under specs/ from the code that decides what they say, or check that they still say it.

python tools/generate.py           writes what has changed
python tools/generate.py --check   writes nothing; fails and names the pages that no longer fit
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.specifications import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
