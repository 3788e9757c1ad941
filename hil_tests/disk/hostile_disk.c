/* A disk that forgets, refuses and hangs, between a program and libc (LD_PRELOAD). Owns: what is recorded, and when an
 * operation is hurt. Must not know who runs under it. Only files under $PINGAN_DISK_DIR (absolute, without links) are
 * touched; hostile.py and record.py are the Python ends of the two files:
 *   $PINGAN_DISK_LOG      every change to those files, in order, appended (absent: nothing is recorded)
 *   $PINGAN_DISK_CONTROL  struct control, mapped: which operations fail or hang (absent: none)
 * What is written to a terminal, and what hostile_disk_mark() is given, goes into the log, too: so a reader knows what
 * had been promised to whom before each later write. One lock is held over each operation and its line in the log.
 * Not seen: stdio streams and whatever is not called through libc. A writable shared mapping, and a file that is
 * renamed into the directory or out of it, are noted as 'X': nobody can say what they held. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

_Static_assert(sizeof(long) == 8, "offsets are passed in one register: 64-bit machines only");

enum class { WRITE, SYNC, TRUNCATE, NAME, OPEN_WRITE, OPEN_READ, CLASSES };
/* Of a class's operations from when it was armed: skip some, then hurt so many (-1: all, until times is 0 again). */
struct hurt { int64_t error, hang_ms, skip, times, seen, hits; };
/* room: bytes that files may still grow by, -1 for an honest disk; what is cut off or unlinked is given back. */
struct control { int64_t room; struct hurt hurts[CLASSES]; };
struct record { char op; char pad[3]; int32_t path, path2, error; int64_t offset, size; };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct control *control;
static char top[PATH_MAX];
static size_t top_size;
static int log_fd = -1;

__attribute__((constructor)) static void start(void) {
    const char *dir = getenv("PINGAN_DISK_DIR"), *log = getenv("PINGAN_DISK_LOG"), *to = getenv("PINGAN_DISK_CONTROL");
    if (dir == NULL || strlen(dir) >= sizeof top) return;
    top_size = strlen(strcpy(top, dir));
    if (log != NULL) {
        int fd = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        log_fd = fcntl(fd, F_DUPFD_CLOEXEC, 200); /* out of the way: what a program opens first keeps its number */
        syscall(SYS_close, fd);
        if (log_fd < 0) abort();
    }
    if (to != NULL) {
        int fd = syscall(SYS_openat, AT_FDCWD, to, O_RDWR | O_CLOEXEC);
        control = (void *)syscall(SYS_mmap, NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        syscall(SYS_close, fd);
        if (control == MAP_FAILED) abort();
    }
}

/* `path` below the directory ("" for itself), or NULL when it is elsewhere. */
static const char *below(const char *path) {
    if (strncmp(path, top, top_size) != 0) return NULL;
    return path[top_size] == '/' ? path + top_size + 1 : path[top_size] == 0 ? path + top_size : NULL;
}

static int link_of(int fd, char *out) {
    char name[40];
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    ssize_t size = syscall(SYS_readlinkat, AT_FDCWD, name, out, PATH_MAX - 1);
    out[size < 0 ? 0 : size] = 0;
    return size > 0;
}

static const char *of_fd(int fd, char *buf) { return top_size && link_of(fd, buf) ? below(buf) : NULL; }

static const char *of_path(int at, const char *path, char *buf) {
    if (top_size == 0 || path == NULL) return NULL;
    if (path[0] == '/') return strlen(path) < PATH_MAX ? below(strcpy(buf, path)) : NULL;
    if (at == AT_FDCWD ? getcwd(buf, PATH_MAX) == NULL : !link_of(at, buf)) return NULL;
    if (strlen(buf) + strlen(path) + 2 > PATH_MAX) return NULL;
    return below(strcat(strcat(buf, "/"), path));
}

static void record(char op, const char *path, const char *path2, int error, int64_t at, int64_t size,
                   const void *data) {
    if (log_fd < 0) return;
    struct record r = {op, "", strlen(path), path2 ? strlen(path2) : 0, error, at, size};
    int saved = errno;
    struct iovec parts[] = {
        {&r, sizeof r}, {(void *)path, r.path}, {(void *)path2, r.path2}, {(void *)data, data ? size : 0}};
    size_t whole = sizeof r + r.path + r.path2 + parts[3].iov_len;
    if (syscall(SYS_writev, log_fd, parts, 4) != (long)whole) abort();
    errno = saved;
}

void hostile_disk_mark(const char *data, size_t size) {
    pthread_mutex_lock(&lock);
    record('M', "", NULL, 0, 0, size, data);
    pthread_mutex_unlock(&lock);
}

/* The error this operation is to fail with, or 0. Hangs here, without the lock, for its time or until it is healed. */
static int hurt(enum class what) {
    if (control == NULL) return 0;
    volatile struct hurt *h = &control->hurts[what];
    if (h->times == 0) return 0;
    int64_t n = __atomic_fetch_add(&h->seen, 1, __ATOMIC_SEQ_CST);
    if (n < h->skip || (h->times > 0 && n >= h->skip + h->times)) return 0;
    __atomic_fetch_add(&h->hits, 1, __ATOMIC_SEQ_CST);
    int error = h->error;
    for (int64_t left = h->hang_ms; left > 0 && h->times != 0; left -= 10) usleep(10000);
    return error;
}

static int refused(int error) { errno = error; return -1; }
static void room(int64_t grown) {
    if (control != NULL && control->room >= 0) control->room -= grown;
}

/* at: the offset, or -1 for wherever the descriptor stands. */
static ssize_t put(int fd, const void *data, size_t size, off_t at) {
    char buf[PATH_MAX];
    const char *path = of_fd(fd, buf);
    if (path == NULL) {
        if (top_size && size && (!strncmp(buf, "/dev/pts/", 9) || !strncmp(buf, "/dev/tty", 8))) {
            pthread_mutex_lock(&lock); /* before it is told: a promise counts from when it may have been heard */
            record('M', buf, NULL, 0, 0, size, data);
            pthread_mutex_unlock(&lock);
        }
        return at < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, at);
    }
    int error = hurt(WRITE);
    if (error) return refused(error);
    pthread_mutex_lock(&lock);
    struct stat now = {0};
    fstat(fd, &now);
    off_t from = at >= 0 ? at : fcntl(fd, F_GETFL) & O_APPEND ? now.st_size : lseek(fd, 0, SEEK_CUR);
    int64_t over = control == NULL || control->room < 0 ? 0 : from + (int64_t)size - now.st_size - control->room;
    if (over > 0) size = over < (int64_t)size ? size - over : 0, control->hurts[WRITE].hits++;
    ssize_t done = over > 0 && size == 0 ? refused(ENOSPC)
                   : at < 0 ? syscall(SYS_write, fd, data, size) : syscall(SYS_pwrite64, fd, data, size, at);
    if (done > 0) {
        if (from + done > now.st_size) room(from + done - now.st_size);
        record('W', path, NULL, 0, from, done, data);
    }
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int fd, const void *data, size_t size) { return put(fd, data, size, -1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return put(fd, data, size, at); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return put(fd, data, size, at); }

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
    ssize_t sum = 0;
    for (int i = 0; i < count; i++) {
        ssize_t done = parts[i].iov_len ? put(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? at : at + sum) : 0;
        if (done < 0) return sum ? sum : done;
        sum += done;
        if (done < (ssize_t)parts[i].iov_len) break;
    }
    return sum;
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
    char buf[PATH_MAX];
    return of_fd(fd, buf) ? pwritev(fd, parts, count, -1) : syscall(SYS_writev, fd, parts, count);
}

static int flush(int fd, long call) {
    char buf[PATH_MAX];
    const char *path = of_fd(fd, buf);
    if (path == NULL) return syscall(call, fd);
    int error = hurt(SYNC); /* the real thing is left out: this disk is what the log says, and that costs no time */
    pthread_mutex_lock(&lock);
    record(error ? 'F' : 'S', path, NULL, error, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return error ? refused(error) : 0;
}
int fsync(int fd) { return flush(fd, SYS_fsync); }
int fdatasync(int fd) { return flush(fd, SYS_fdatasync); }

int ftruncate64(int fd, off_t size) {
    char buf[PATH_MAX];
    const char *path = of_fd(fd, buf);
    int error = path ? hurt(TRUNCATE) : 0;
    if (path == NULL || error) return error ? refused(error) : syscall(SYS_ftruncate, fd, size);
    pthread_mutex_lock(&lock);
    struct stat now = {0};
    fstat(fd, &now);
    int done = syscall(SYS_ftruncate, fd, size);
    if (done == 0 && size < now.st_size) room(size - now.st_size);
    if (done == 0) record('T', path, NULL, 0, 0, size, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t size) { return ftruncate64(fd, size); }
int truncate64(const char *name, off_t size) {
    int fd = open(name, O_WRONLY | O_CLOEXEC), done = fd < 0 ? -1 : ftruncate64(fd, size), error = errno;
    if (fd >= 0) close(fd);
    errno = error;
    return done;
}
int truncate(const char *name, off_t size) { return truncate64(name, size); }

/* Blocks are taken by writing zeros: one way for all of it to be counted and recorded. Returns the error. */
int posix_fallocate64(int fd, off_t at, off_t size) {
    char buf[PATH_MAX];
    static const char zeros[65536];
    struct stat now;
    if (of_fd(fd, buf) == NULL) return syscall(SYS_fallocate, fd, 0, at, size) ? errno : 0;
    if (fstat(fd, &now)) return errno;
    for (off_t from = now.st_size; from < at + size;) {
        ssize_t done = put(fd, zeros, at + size - from < 65536 ? at + size - from : 65536, from);
        if (done < 0) return errno;
        from += done;
    }
    return 0;
}
int posix_fallocate(int fd, off_t at, off_t size) { return posix_fallocate64(fd, at, size); }

static int open_it(int at, const char *name, int flags, mode_t mode) {
    char buf[PATH_MAX];
    const char *path = of_path(at, name, buf);
    if (path == NULL) return syscall(SYS_openat, at, name, flags, mode);
    int error = hurt((flags & O_ACCMODE) == O_RDONLY && !(flags & O_CREAT) ? OPEN_READ : OPEN_WRITE);
    if (error) return refused(error);
    pthread_mutex_lock(&lock);
    struct stat now;
    int there = fstatat(at, name, &now, 0) == 0;
    int fd = syscall(SYS_openat, at, name, flags, mode);
    if (fd >= 0 && !there && flags & O_CREAT) record('C', path, NULL, 0, 0, 0, NULL);
    if (fd >= 0 && there && flags & O_TRUNC) room(-now.st_size), record('T', path, NULL, 0, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return fd;
}

#define MODE ({ va_list more; va_start(more, flags); mode_t m = va_arg(more, mode_t); va_end(more); m; })
int open(const char *name, int flags, ...) { return open_it(AT_FDCWD, name, flags, MODE); }
int open64(const char *name, int flags, ...) { return open_it(AT_FDCWD, name, flags, MODE); }
int openat(int at, const char *name, int flags, ...) { return open_it(at, name, flags, MODE); }
int openat64(int at, const char *name, int flags, ...) { return open_it(at, name, flags, MODE); }

/* One change of names: op U(nlink), R(ename) or D(irectory made). */
static int rename_it(char op, int at, const char *name, int at2, const char *name2, int arg) {
    char buf[PATH_MAX], buf2[PATH_MAX];
    const char *path = of_path(at, name, buf), *path2 = name2 ? of_path(at2, name2, buf2) : NULL;
    int error = path || path2 ? hurt(NAME) : 0;
    if (error) return refused(error);
    pthread_mutex_lock(&lock);
    struct stat now = {0};
    if (path && op == 'U') fstatat(at, name, &now, AT_SYMLINK_NOFOLLOW);
    int done = op == 'U' ? syscall(SYS_unlinkat, at, name, arg) : op == 'D' ? syscall(SYS_mkdirat, at, name, arg)
               : syscall(SYS_renameat2, at, name, at2, name2, arg);
    if (done == 0 && path && S_ISREG(now.st_mode)) room(-now.st_size);
    if (done == 0 && (path || path2))
        record(op == 'R' && !(path && path2) ? 'X' : op, path ? path : "", path2, 0, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}
int unlink(const char *name) { return rename_it('U', AT_FDCWD, name, 0, NULL, 0); }
int unlinkat(int at, const char *name, int flags) { return rename_it('U', at, name, 0, NULL, flags); }
int rename(const char *from, const char *to) { return rename_it('R', AT_FDCWD, from, AT_FDCWD, to, 0); }
int mkdir(const char *name, mode_t mode) { return rename_it('D', AT_FDCWD, name, 0, NULL, mode); }

/* Copies inside the kernel would pass us by; who is told that there are none writes the bytes. */
ssize_t sendfile64(int to, int from, off_t *at, size_t size) {
    char buf[PATH_MAX];
    return of_fd(to, buf) ? refused(EINVAL) : syscall(SYS_sendfile, to, from, at, size);
}
ssize_t copy_file_range(int from, off_t *at, int to, off_t *at2, size_t size, unsigned flags) {
    char buf[PATH_MAX];
    return of_fd(to, buf) ? refused(ENOSYS) : syscall(SYS_copy_file_range, from, at, to, at2, size, flags);
}

void *mmap64(void *where, size_t size, int prot, int flags, int fd, off_t at) {
    char buf[PATH_MAX];
    const char *path = fd >= 0 && prot & PROT_WRITE && flags & MAP_SHARED ? of_fd(fd, buf) : NULL;
    if (path != NULL) record('X', path, NULL, 0, at, size, NULL);
    return (void *)syscall(SYS_mmap, where, size, prot, flags, fd, at);
}
void *mmap(void *where, size_t size, int prot, int flags, int fd, off_t at) {
    return mmap64(where, size, prot, flags, fd, at);
}

static int space(const char *path, struct statvfs *out, int done) {
    if (done || !path || !control || control->room < 0) return done;
    out->f_bavail = out->f_bfree = control->room / out->f_frsize;
    return done;
}
int statvfs64(const char *name, struct statvfs64 *out) {
    char buf[PATH_MAX];
    int (*real)(const char *, struct statvfs *) = dlsym(RTLD_NEXT, "statvfs");
    return space(of_path(AT_FDCWD, name, buf), (void *)out, real(name, (void *)out));
}
int fstatvfs64(int fd, struct statvfs64 *out) {
    char buf[PATH_MAX];
    int (*real)(int, struct statvfs *) = dlsym(RTLD_NEXT, "fstatvfs");
    return space(of_fd(fd, buf), (void *)out, real(fd, (void *)out));
}
