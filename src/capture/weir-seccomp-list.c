/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Four lists in one table (the teller's is the looker's and one call more): what meter, keeper,
 * looker and twin do once they serve, found by reading them and by tracing them over real traffic,
 * and nothing in reserve.  A call that is missing here ends the engine, so whoever lets it do
 * something new sees it at the first test.
 *
 * That everything else is forbidden is the point; these are what an attacker would miss most:
 * socket and everything that makes a process or a program; openat2, whose flags are behind a
 * pointer where no filter sees them; open_by_handle_at, with which CAP_DAC_READ_SEARCH opens any
 * file of a file system without a path; io_uring, which does file and socket calls that no filter
 * sees; ptrace, process_vm_readv, pidfd_getfd, process_madvise and kcmp, which reach into other
 * processes; kill, prlimit64 and setpriority, which the uid allows towards the helper next door;
 * setns, unshare, mount and their like; bpf, perf_event_open, userfaultfd, keyctl: much kernel for
 * little use; ioctl and fcntl, which nobody needs any longer.
 *
 * abort(3) wants tgkill and rt_sigaction, and its message writev.  It does not get them: a process
 * that is to be ended is ended by the filter just as well, and standard error is /dev/null.
 */
#include "config.h"

#include <seccomp.h>

#include "weir-seccomp.h"

#define M       (1U << WEIR_ROLE_METER)
#define K       (1U << WEIR_ROLE_KEEPER)
#define L       (1U << WEIR_ROLE_LOOKER)
#define T       (1U << WEIR_ROLE_TWIN)
#define ALL     (M | K | L | T)
#define RULE(c) SCMP_SYS (c)

const struct weir_seccomp_rule weir_seccomp_rules[] = {
  /* Memory: malloc's, never executable.  brk and munmap also give it back (malloc_trim, large
   * tables); madvise does so in the arenas that malloc falls back to. */
  { RULE (brk), ALL },
  { RULE (mmap), ALL, WEIR_SECCOMP_NOT_EXECUTABLE },
  { RULE (mmap2), ALL, WEIR_SECCOMP_NOT_EXECUTABLE },
  { RULE (mprotect), ALL, WEIR_SECCOMP_NOT_EXECUTABLE },
  { RULE (mremap), M | L },
  { RULE (munmap), ALL },
  { RULE (madvise), ALL, WEIR_SECCOMP_GIVING_BACK },

  /* Time: a call only for the processor's clock, and where the kernel cannot answer without one. */
  { RULE (clock_gettime), ALL },
  { RULE (clock_gettime64), ALL },

  /* Waiting; the last one continues a poll after the process was stopped and goes on. */
  { RULE (poll), M | L },
  { RULE (ppoll), M | L },
  { RULE (ppoll_time64), M | L },
  { RULE (restart_syscall), ALL },

  /* Talking, on sockets that are there: front end, netlink, one another. */
  { RULE (sendto), M | L },
  { RULE (send), M | L },
  { RULE (recvfrom), ALL },
  { RULE (recv), ALL },
  { RULE (recvmsg), M },

  /* The keeper's request has no attribute.  To delete or make a rule of the firewall takes several
   * messages in one, each of this length at least (nfnetlink's batches), so CAP_NET_ADMIN is worth
   * that much less: connection tracking could be emptied, the firewall stays. */
  { RULE (sendto), K, WEIR_SECCOMP_ASKING },
  { RULE (send), K, WEIR_SECCOMP_ASKING },

  { RULE (sendto), T, WEIR_SECCOMP_REPORTING },
  { RULE (send), T, WEIR_SECCOMP_REPORTING },

  /* Accounting: the keeper looks after its twin while it waits for the meter, and both put back
   * what was switched on.  The record can be locked and emptied, and by no call be filled. */
  { RULE (poll), K, WEIR_SECCOMP_WATCHING },
  { RULE (ppoll), K, WEIR_SECCOMP_WATCHING },
  { RULE (ppoll_time64), K, WEIR_SECCOMP_WATCHING },
  { RULE (pwrite64), K | T, WEIR_SECCOMP_SWITCHING },
  { RULE (flock), K | T, WEIR_SECCOMP_LOCKING },
  { RULE (ftruncate), K | T, WEIR_SECCOMP_EMPTYING },
  { RULE (ftruncate64), K | T, WEIR_SECCOMP_EMPTYING_WIDE },

  /* Its own status at the very end of confinement, and its own number.  The meter also reads
   * whether bytes are counted. */
  { RULE (pread64), ALL },
  { RULE (close), ALL },
  { RULE (getpid), ALL },

  /* The meter: a secret for its tables. */
  { RULE (getrandom), M },

  /* Giving up what is left, and seeing that it is gone.  With these nothing can be had back: what
   * is not permitted cannot be made so, and what may be inherited serves only who executes. */
  { RULE (capset), K | L, WEIR_SECCOMP_GIVING_UP },
  { RULE (capget), K | L, WEIR_SECCOMP_GIVING_UP },

  /* The looker: /proc and control groups, for reading. */
  { RULE (openat), L, WEIR_SECCOMP_READING },
  { RULE (setitimer), L, WEIR_SECCOMP_TIMING },
  { RULE (read), L },
  { RULE (getdents64), L },
  { RULE (readlinkat), L },
  { RULE (lseek), L },
  { RULE (_llseek), L },
  { RULE (fstat), L },
  { RULE (fstat64), L },
  { RULE (newfstatat), L },
  { RULE (fstatat64), L },
  { RULE (statx), L },

  /* The end. */
  { RULE (exit_group), ALL },
  { RULE (exit), ALL },
};
const size_t weir_n_seccomp_rules = sizeof weir_seccomp_rules / sizeof weir_seccomp_rules[0];
