import bz2
import fcntl
import filecmp
import glob
import gzip
import lzma
import mmap
import os
import pathlib
import shutil
import stat
import sys
import tarfile
import tempfile
import zipfile

os.makedirs("a/b/c")
home = pathlib.Path("a")
(home / "one.txt").write_text("one\n" * 1000)
(home / "two.bin").write_bytes(bytes(range(256)) * 400)
shutil.copy2(home / "one.txt", home / "b" / "copy.txt")
shutil.copytree("a", "z")
os.link("a/one.txt", "a/hard")
os.symlink("one.txt", "a/soft")
os.rename("a/hard", "a/b/hard")
os.replace("a/b/hard", "a/b/hard2")
os.chmod("a/one.txt", 0o640)
with open("a/one.txt", "r+") as file:
    file.truncate(10)
os.utime("a/one.txt", (1, 2))
found = os.stat("a/one.txt")
print(found.st_size, oct(found.st_mode), found.st_mtime, found.st_nlink, os.readlink("a/soft"))
print(sorted(str(path) for path in home.rglob("*")), sorted(glob.glob("z/**", recursive=True)))
print(sorted((entry.name, entry.is_dir()) for entry in os.scandir("a")), os.listdir("a/b/c"))
print(filecmp.cmp("a/two.bin", "z/two.bin"), os.access("a", os.R_OK), os.path.realpath("a/soft"))
for module in (gzip, bz2, lzma):
    with module.open("packed", "wt") as file:
        file.write("packed " * 500)
    with module.open("packed", "rt") as file:
        print(len(file.read()))
with zipfile.ZipFile("a.zip", "w") as archive:
    archive.write("a/two.bin")
with zipfile.ZipFile("a.zip") as archive:
    print(archive.namelist(), archive.testzip())
with tarfile.open("a.tar.gz", "w:gz") as archive:
    archive.add("a")
with tarfile.open("a.tar.gz") as archive:
    archive.extractall("unpacked")
print(sorted(os.listdir("unpacked/a")))
with open("mapped", "w+b") as file:
    file.truncate(8192)
    with mmap.mmap(file.fileno(), 0) as memory:
        memory[:5] = b"hello"
        memory.flush()
    print(file.read(5))
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.fsync(file.fileno())
    os.fdatasync(file.fileno())
    print(os.pread(file.fileno(), 5, 0), os.pwrite(file.fileno(), b"HE", 0), file.isatty())
    os.fchmod(file.fileno(), 0o600)
with tempfile.TemporaryDirectory() as place:
    with tempfile.NamedTemporaryFile(dir=place) as file:
        file.write(b"x")
    with tempfile.TemporaryFile() as file:
        file.write(b"y")
    with tempfile.SpooledTemporaryFile() as file:
        file.write(b"z")
descriptor = os.open("low", os.O_RDWR | os.O_CREAT | os.O_EXCL)
copy = os.dup(descriptor)
os.dup2(copy, 60, inheritable=False)
os.write(60, b"low level")
os.lseek(descriptor, 0, os.SEEK_SET)
print(os.read(descriptor, 9), os.get_inheritable(60), stat.S_ISREG(os.fstat(copy).st_mode))
os.closerange(59, 61)
print(oct(os.umask(0o22)))
os.chdir("a")
print(os.getcwd())
os.chdir("..")
os.remove("low")
shutil.move("a", "moved")
shutil.rmtree("moved")
for error in ("missing/file", "/etc/hosts/x", "/usr/new"):
    try:
        open(error, "w")
    except OSError as refused:
        print(refused)
print(sorted(os.listdir()), sys.getsizeof(0))
