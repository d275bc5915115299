# Goes through calls on files, and prints what comes of each.
import errno, os, stat
def show(what, *arguments, **named):
    try: result = what(*arguments, **named)
    except OSError as error: result = errno.errorcode[error.errno]
    if isinstance(result, int): os.close(result); result = 'opened'
    if isinstance(result, os.stat_result): result = 'found'
    print(what.__name__, str(arguments)[:60], result)
O = os
os.umask(0o027)
show(os.open, 'new', os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o666)
print(oct(os.stat('new').st_mode), os.stat('new').st_uid == os.getuid())
show(os.open, 'new', os.O_CREAT | os.O_EXCL)
show(os.open, 'none', os.O_RDONLY)
show(os.open, 'none/x', os.O_RDONLY)
show(os.open, 'new/x', os.O_RDONLY)
show(os.open, 'new/', os.O_RDONLY)
show(os.open, '', os.O_RDONLY)
show(os.open, 'x' * 256, os.O_RDONLY)
show(os.open, '/' + 'x/' * 3000, os.O_RDONLY)
show(os.mkdir, 'dir', 0o777); print(oct(os.stat('dir').st_mode))
show(os.mkdir, 'dir'); show(os.mkdir, 'dir/'); show(os.mkdir, '/'); show(os.mkdir, 'no/no')
show(os.mkdir, 'slash/')
show(os.open, 'dir', os.O_WRONLY); show(os.open, 'dir', os.O_DIRECTORY); show(os.open, 'dir/', os.O_RDONLY)
show(os.open, 'dir/.', os.O_RDONLY); show(os.open, 'dir/..', os.O_RDONLY); show(os.open, '/', os.O_RDONLY)
show(os.open, 'dir', os.O_TMPFILE | os.O_RDWR)
show(os.open, '.', os.O_RDONLY); show(os.open, '/..', os.O_RDONLY)
show(os.symlink, 'new', 'link'); show(os.symlink, 'loop', 'loop'); show(os.symlink, 'gone', 'dangling')
show(os.symlink, 'dir', 'dirlink')
show(os.open, 'link', os.O_RDONLY); show(os.open, 'link', os.O_RDONLY | os.O_NOFOLLOW)
show(os.open, 'loop', os.O_RDONLY); show(os.open, 'dangling', os.O_RDONLY)
show(os.open, 'dangling', os.O_CREAT | os.O_EXCL | os.O_WRONLY)
show(os.open, 'dangling', os.O_CREAT | os.O_WRONLY); print(os.path.exists('gone'))
show(os.open, 'dirlink/', os.O_RDONLY | os.O_NOFOLLOW); show(os.open, 'dirlink', os.O_RDONLY | os.O_NOFOLLOW)
show(os.open, 'dirlink/../new', os.O_RDONLY)
show(os.rename, 'new', 'dir'); show(os.rename, 'dir', 'new'); show(os.rename, 'none', 'x'); show(os.rename, 'new', 'newer')
show(os.rename, 'newer/', 'x'); show(os.rename, 'dir', 'dir/below'); show(os.rename, '.', 'x')
show(os.link, 'newer', 'hard'); print(os.stat('hard').st_nlink)
show(os.link, 'dir', 'hard2'); show(os.link, 'link', 'hardlink'); print(os.path.islink('hardlink'))
show(os.link, 'dirlink', 'x', follow_symlinks=True)
show(os.unlink, 'hard'); show(os.unlink, 'dir'); show(os.rmdir, 'newer'); show(os.unlink, 'newer/'); show(os.rmdir, 'dir/')
show(os.rmdir, '.'); show(os.rmdir, '..'); show(os.unlink, 'none'); show(os.unlink, 'link')
show(os.open, '/usr/bin/x', os.O_CREAT | os.O_WRONLY); show(os.mkdir, '/usr/x'); show(os.unlink, '/usr/bin/env')
show(os.open, '/proc/self/status', os.O_RDONLY); show(os.open, '/proc/thread-self/status', os.O_RDONLY)
print(open('/proc/self/stat').read().split()[0] == str(os.getpid()))
show(os.open, '/dev/null', os.O_RDWR); show(os.open, '/etc/shadow', os.O_RDONLY)
here = os.open('.', os.O_PATH)
show(os.open, 'newer', os.O_RDONLY, dir_fd=here); show(os.mkdir, 'below', dir_fd=here)
show(os.rename, 'below', 'beside', src_dir_fd=here, dst_dir_fd=here)
try: os.open('newer', os.O_RDONLY, dir_fd=999)
except OSError as error: print(errno.errorcode[error.errno])
os.chdir('beside'); show(os.open, '../newer', os.O_RDONLY); os.chdir('..')
kept = os.open('newer', os.O_RDONLY); print(os.get_inheritable(kept))
import fcntl
print(bool(fcntl.fcntl(os.open('newer', os.O_APPEND | os.O_WRONLY), fcntl.F_GETFL) & os.O_APPEND))
os.symlink('newer', 'mylink')
def properties(path, **named):
    found = os.stat(path, **named)
    return [oct(found.st_mode), found.st_size, found.st_nlink, found.st_uid, found.st_mtime_ns // 10**12]
for path in ['newer', 'mylink', 'beside/..', '/', '/usr/bin/env', '/bin', '/dev/null', '/proc/self', '/proc/self/exe']:
    for follow in (True, False):
        print(path, properties(path, follow_symlinks=follow)[:1 if 'proc' in path else 9])
print(properties(here), properties(kept), properties('newer', dir_fd=here))
for path in ['none', 'newer/', 'loop', 'dirlink/x', '']:
    show(os.stat, path); show(os.lstat, path); show(os.readlink, path)
show(os.readlink, 'loop'); show(os.readlink, '/proc/self/exe'); show(os.readlink, 'newer')
for mode in (os.F_OK, os.R_OK, os.W_OK, os.X_OK):
    print([os.access(path, mode) for path in ['newer', 'beside', 'none', '/usr', '/usr/bin/env', 'loop', 'dirlink']])
os.chmod('newer', 0o640); print(properties('newer')); os.chmod('newer', 0); os.chmod('newer', 0o600)
show(os.chmod, 'none', 0); show(os.chmod, '/usr/bin/env', 0); show(os.chmod, 'loop', 0)
show(os.chown, 'newer', os.getuid(), -1); show(os.chown, 'newer', 0, 0); show(os.lchown, 'loop', -1, -1)
os.utime('newer', (1, 2)); print(properties('newer')); os.utime('newer', ns=(3 * 10**15, 4 * 10**15)); print(properties('newer'))
os.utime(kept); show(os.utime, 'none'); show(os.utime, '/usr/bin/env'); show(os.utime, 'loop', (5, 6), follow_symlinks=False)
os.truncate('newer', 1000); print(properties('newer')[:3]); show(os.truncate, 'beside', 1); show(os.truncate, '/usr/bin/env', 1)
show(os.truncate, 'newer', -1); show(os.truncate, kept, 5); show(os.truncate, '/usr/bin', 1); show(os.truncate, '/dev/null', 1)
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
room = ctypes.create_string_buffer(256)
print(libc.readlink(b'loop', room, 2), room.raw[:3], libc.readlink(b'loop', room, 0), errno.errorcode[ctypes.get_errno()])
print(libc.readlink(b'loop', None, 5), errno.errorcode[ctypes.get_errno()], libc.open(None, 0), errno.errorcode[ctypes.get_errno()])
print(libc.syscall(332, -100, b'newer', 0, 0x7ff, room), room.raw[28:30].hex())
opened = []
try:
    while True: opened.append(os.open('newer', os.O_RDONLY))
except OSError as error: print(errno.errorcode[error.errno], len(opened))
