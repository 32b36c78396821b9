/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sends and receives by io_uring: one request at a time, without a library. */
#include "weir-flows.h"

#include <errno.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CHUNK 16384

struct ring
{
  int fd;
  struct io_uring_params params;
  char *submissions, *completions;
  struct io_uring_sqe *entries;
};

static void *
map (int fd, size_t size, uint64_t offset)
{
  void *at =
      mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, (off_t) offset);

  if (at == MAP_FAILED)
    die ("the ring");
  return at;
}

static struct ring *
get_ring (void)
{
  static struct ring ring;
  const struct io_uring_params *params = &ring.params;

  if (ring.entries != NULL)
    return &ring;
  ring.fd = (int) syscall (SYS_io_uring_setup, 1, &ring.params);
  if (ring.fd < 0 && (errno == EPERM || errno == ENOSYS))
    not_here ("io_uring is switched off (kernel.io_uring_disabled), or not in this kernel");
  must (ring.fd, "io_uring");
  ring.submissions = map (ring.fd, params->sq_off.array + params->sq_entries * sizeof (uint32_t),
                          IORING_OFF_SQ_RING);
  ring.completions =
      map (ring.fd, params->cq_off.cqes + params->cq_entries * sizeof (struct io_uring_cqe),
           IORING_OFF_CQ_RING);
  ring.entries = map (ring.fd, params->sq_entries * sizeof *ring.entries, IORING_OFF_SQES);
  return &ring;
}

/* Its result: a number of bytes, or a negative error. */
static int
do_request (uint8_t opcode, int fd, void *data, size_t size)
{
  struct ring *ring = get_ring ();
  uint32_t *sq_tail = (uint32_t *) (void *) (ring->submissions + ring->params.sq_off.tail);
  uint32_t *sq_array = (uint32_t *) (void *) (ring->submissions + ring->params.sq_off.array);
  uint32_t *cq_head = (uint32_t *) (void *) (ring->completions + ring->params.cq_off.head);
  const uint32_t cq_mask = ring->params.cq_entries - 1;
  const struct io_uring_cqe *cqes = (const void *) (ring->completions + ring->params.cq_off.cqes);
  int result;

  ring->entries[0] = (struct io_uring_sqe) {
    .opcode = opcode,
    .fd = fd,
    .addr = (uintptr_t) data,
    .len = (uint32_t) size,
    .msg_flags = MSG_NOSIGNAL,
  };
  sq_array[*sq_tail & (ring->params.sq_entries - 1)] = 0;
  __atomic_store_n (sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
  must ((int) syscall (SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0),
        "io_uring");
  result = cqes[*cq_head & cq_mask].res;
  __atomic_store_n (cq_head, *cq_head + 1, __ATOMIC_RELEASE);
  return result;
}

static void
move (uint8_t opcode, int fd, size_t n)
{
  static char data[CHUNK];

  while (n > 0)
    {
      int done = do_request (opcode, fd, data, n < CHUNK ? n : CHUNK);

      if (done <= 0)
        {
          errno = -done;
          die ("io_uring");
        }
      n -= (size_t) done;
    }
}

static void
send_by_ring (int fd, size_t n)
{
  move (IORING_OP_SEND, fd, n);
}

static void
receive_by_ring (int fd, size_t n)
{
  move (IORING_OP_RECV, fd, n);
}

const struct way uring_way = { send_by_ring, receive_by_ring };
