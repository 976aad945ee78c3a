/*
 * fs/fs_calls.h - the system calls for files: handlers as kernel/syscall.h wants them, under Linux's names for i386
 * (<asm/unistd_32.h>). They reach the running process through fs/files.h, and memory of programs through mm/usercopy.h.
 */
#ifndef FS_CALLS_H
#define FS_CALLS_H

#include <kernel/syscall.h>

syscall_fn sys_open, sys_openat, sys_creat, sys_close, sys_read, sys_write, sys_pread64;
syscall_fn sys_pwrite64, sys_readv, sys_writev, sys_preadv, sys_pwritev, sys_lseek, sys__llseek;
syscall_fn sys_sendfile, sys_sendfile64, sys_dup, sys_dup2, sys_dup3, sys_fcntl, sys_fcntl64;
syscall_fn sys_ioctl, sys_pipe, sys_pipe2, sys_poll, sys_stat, sys_lstat, sys_fstat, sys_stat64;
syscall_fn sys_oldstat, sys_oldlstat, sys_oldfstat;
syscall_fn sys_lstat64, sys_fstat64, sys_fstatat64, sys_statx, sys_statfs, sys_fstatfs;
syscall_fn sys_statfs64, sys_fstatfs64, sys_getdents, sys_getdents64, sys_chdir, sys_fchdir;
syscall_fn sys_getcwd, sys_truncate, sys_ftruncate, sys_truncate64, sys_ftruncate64, sys_fallocate;
syscall_fn sys_fsync, sys_fdatasync, sys_sync, sys_access, sys_faccessat, sys_faccessat2, sys_chmod;
syscall_fn sys_fchmod, sys_fchmodat, sys_chown, sys_lchown, sys_fchown, sys_chown32, sys_lchown32;
syscall_fn sys_fchown32, sys_fchownat, sys_umask, sys_utimensat, sys_utimensat_time64, sys_utime;
syscall_fn sys_utimes, sys_link, sys_linkat, sys_symlink, sys_symlinkat, sys_readlink;
syscall_fn sys_readlinkat, sys_unlink, sys_unlinkat, sys_rename, sys_renameat, sys_renameat2;
syscall_fn sys_mkdir, sys_mkdirat, sys_rmdir, sys_mknod, sys_mknodat;

/*
 * Looks until a file has something to tell, or until the deadline: 0 is at once. Events that are `always` told need not
 * be asked for. Returns how many have, 0, -ERESTARTNOHAND; poll_user, with the program's array, -EINVAL, -EFAULT and
 * -ENOMEM too.
 */
struct pollfd;
int32_t poll_files(struct pollfd *fds, uint32_t count, uint32_t always, uint64_t deadline);
int32_t poll_user(vaddr_t fds, uint32_t count, uint64_t deadline);

#endif
