import os, pathlib
os.makedirs('d/e', exist_ok=True)
pathlib.Path('d/e/f.txt').write_text('hi\n')
print(sorted(str(p) for p in pathlib.Path('d').rglob('*')), os.stat('d/e/f.txt').st_size)
import shutil
shutil.rmtree('d')
print(os.path.exists('d'))
