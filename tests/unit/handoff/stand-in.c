/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stands in for an engine as a process of its own.
 *
 *   stand-in hello DIRECTORY         connects, says HELLO, stays until the other side closes
 *   stand-in hello-and-die DIRECTORY the same, but ends at once
 *   stand-in report                  tells on standard error what it inherited
 *   stand-in noise                   writes without end to standard error
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "weir-wire.h"

static int
hello (const char *directory, bool stay)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "socket" };
  struct weir_hello message = { .version = WEIR_PROTOCOL_VERSION, .engine_version = "stand-in" };
  struct weir_writer writer;
  char hex[WEIR_NONCE_HEX_SIZE];
  int file, fd;

  if (chdir (directory) < 0)
    return 1;
  file = open ("nonce", O_RDONLY);
  if (file < 0 || read (file, hex, sizeof hex) != sizeof hex ||
      weir_nonce_decode (hex, sizeof hex, message.nonce) < 0)
    return 1;
  fd = socket (AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0 || connect (fd, (struct sockaddr *) &address, sizeof address) < 0)
    return 1;
  message.pid = (uint32_t) getpid ();
  weir_writer_init (&writer);
  weir_write_hello (&writer, &message);
  if (write (fd, writer.data, writer.size) != (ssize_t) writer.size)
    return 1;
  while (stay && read (fd, hex, sizeof hex) > 0)
    ;
  return 0;
}

static int
report (char **environment)
{
  char line[256], link[64];
  FILE *status = fopen ("/proc/self/status", "re");

  for (int fd = 0; fd < 1024; fd++)
    {
      ssize_t length;

      /* The file that is being read here is not inherited. */
      if (fcntl (fd, F_GETFD) < 0 || (status != NULL && fd == fileno (status)))
        continue;
      snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
      length = readlink (link, line, sizeof line - 1);
      line[length > 0 ? length : 0] = '\0';
      line[strcspn (line, ":")] = '\0';
      fprintf (stderr, "fd %d %s\n", fd, line);
    }
  while (status != NULL && fgets (line, sizeof line, status) != NULL)
    {
      if (strncmp (line, "SigBlk", 6) == 0 || strncmp (line, "SigIgn", 6) == 0)
        fputs (line, stderr);
    }
  for (; *environment != NULL; environment++)
    fprintf (stderr, "env %s\n", *environment);
  return 3;
}

static int
noise (void)
{
  char bytes[1000];

  memset (bytes, 0xff, sizeof bytes);
  for (int i = 0; i < 1000; i++)
    {
      if (write (STDERR_FILENO, bytes, sizeof bytes) < 0)
        return 1;
    }
  return 0;
}

int
main (int argc, char *argv[], char *environment[])
{
  if (argc == 3 && strcmp (argv[1], "hello") == 0)
    return hello (argv[2], true);
  if (argc == 3 && strcmp (argv[1], "hello-and-die") == 0)
    return hello (argv[2], false);
  if (argc == 2 && strcmp (argv[1], "report") == 0)
    return report (environment);
  if (argc == 2 && strcmp (argv[1], "noise") == 0)
    return noise ();
  return 2;
}
