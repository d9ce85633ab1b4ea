/*
 * Loaded into a program before the C library (LD_PRELOAD): what it writes fails while a file says so. Each line of the
 * file that CATCHUPD_FAULTS names is "EIO /path" or "ENOSPC /path": everything below that path (or beginning with it)
 * that is written, synced, renamed, linked, cut or opened to be written fails with that error. "HANG /path": it does not
 * return until the line is gone, nor does what is opened to be read or asked for there.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#define HANGS (-1)

/* Straight to the kernel, so that nothing here comes back here. */
static int told_of(const char *path) {
  const char *control = getenv("CATCHUPD_FAULTS");
  if (control == NULL || path == NULL || path[0] != '/') return 0;
  int fd = (int)syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[8192];
  ssize_t length = syscall(SYS_read, fd, text, sizeof text - 1);
  syscall(SYS_close, fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  char *rest = text;
  for (char *line = strsep(&rest, "\n"); line != NULL; line = strsep(&rest, "\n")) {
    char *prefix = strchr(line, ' ');
    if (prefix == NULL) continue;
    *prefix++ = '\0';
    if (strncmp(path, prefix, strlen(prefix)) != 0) continue;
    if (strcmp(line, "HANG") == 0) return HANGS;
    return strcmp(line, "ENOSPC") == 0 ? ENOSPC : EIO;
  }
  return 0;
}

static int fault_of(const char *path) {
  int told = told_of(path);
  for (; told == HANGS; told = told_of(path)) usleep(50000);
  return told;
}

static void hang_if_told(const char *path) {
  while (told_of(path) == HANGS) usleep(50000);
}

static int fault_of_fd(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = '\0';
  return fault_of(path);
}

#define REAL(type, name, ...) \
  static type (*real)(__VA_ARGS__); \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)
#define FAIL_IF(fault) \
  do { \
    int code = (fault); \
    if (code != 0) { \
      errno = code; \
      return -1; \
    } \
  } while (0)

ssize_t write(int fd, const void *bytes, size_t count) {
  REAL(ssize_t, write, int, const void *, size_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, bytes, count);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(ssize_t, writev, int, const struct iovec *, int);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, parts, count);
}
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
  REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, bytes, count, at);
}
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) {
  REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, bytes, count, at);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL(ssize_t, pwritev, int, const struct iovec *, int, off_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, parts, count, at);
}
int fsync(int fd) {
  REAL(int, fsync, int);
  FAIL_IF(fault_of_fd(fd));
  return real(fd);
}
int fdatasync(int fd) {
  REAL(int, fdatasync, int);
  FAIL_IF(fault_of_fd(fd));
  return real(fd);
}
int ftruncate64(int fd, off64_t length) {
  REAL(int, ftruncate64, int, off64_t);
  FAIL_IF(fault_of_fd(fd));
  return real(fd, length);
}
int rename(const char *from, const char *to) {
  REAL(int, rename, const char *, const char *);
  FAIL_IF(fault_of(from));
  FAIL_IF(fault_of(to));
  return real(from, to);
}
int link(const char *from, const char *to) {
  REAL(int, link, const char *, const char *);
  FAIL_IF(fault_of(to));
  return real(from, to);
}

static int to_be_written(int flags) { return (flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)); }

#define OPEN(name) \
  int name(const char *path, int flags, ...) { \
    REAL(int, name, const char *, int, ...); \
    mode_t mode = 0; \
    if (flags & (O_CREAT | O_TMPFILE)) { \
      va_list more; \
      va_start(more, flags); \
      mode = va_arg(more, mode_t); \
      va_end(more); \
    } \
    if (to_be_written(flags)) FAIL_IF(fault_of(path)); \
    else hang_if_told(path); \
    return real(path, flags, mode); \
  }
OPEN(open)
OPEN(open64)

int statfs64(const char *path, struct statfs64 *found) {
  REAL(int, statfs64, const char *, struct statfs64 *);
  hang_if_told(path);
  return real(path, found);
}
int unlink(const char *path) {
  REAL(int, unlink, const char *);
  FAIL_IF(fault_of(path));
  return real(path);
}
