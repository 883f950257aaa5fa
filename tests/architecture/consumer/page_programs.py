"""page_programs.py PAGE FOLDER: writes the whole programs among a page's C and C++ blocks to FOLDER, a file each."""

import re
import sys
from pathlib import Path

page, folder = Path(sys.argv[1]), Path(sys.argv[2])
text = page.read_text()
folder.mkdir(parents=True, exist_ok=True)
blocks = [m for m in re.finditer(r"^```(cpp|c)\n(.*?)^```$", text, re.M | re.S) if "int main(" in m[2]]
if not blocks:
    sys.exit(f"{page}: no program in it")
for number, block in enumerate(blocks, 1):
    first_line = text.count("\n", 0, block.start(2)) + 1
    (folder / f"page_{number}.{block[1]}").write_text(f'#line {first_line} "{page}"\n{block[2]}')
