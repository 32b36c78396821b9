/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NOTICES: what the administrator should know. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

void
weir_write_notices (struct weir_writer *writer, const struct weir_notice *notices, size_t n_notices)
{
  const uint16_t n =
      (uint16_t) (n_notices < WEIR_NOTICES_MAX ? n_notices : (size_t) WEIR_NOTICES_MAX);

  weir_write_frame_begin (writer, WEIR_MESSAGE_NOTICES);
  weir_write_u16 (writer, n);
  for (uint16_t i = 0; i < n; i++)
    {
      const size_t length = strnlen (notices[i].text, sizeof notices[i].text - 1);

      weir_write_u16 (writer, (uint16_t) (2 + 4 + 2 + length));
      weir_write_u16 (writer, notices[i].code);
      weir_write_u32 (writer, notices[i].number);
      weir_write_field (writer, notices[i].text, sizeof notices[i].text);
    }
  weir_write_frame_end (writer);
}

int
weir_read_notices (const struct weir_frame *frame, struct weir_notice *ret_notices, size_t max,
                   size_t *ret_n)
{
  struct weir_reader reader;
  uint16_t n;

  *ret_n = 0;
  memset (ret_notices, 0, max * sizeof *ret_notices);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_NOTICES))
    return -EPROTO;
  n = weir_read_u16 (&reader);
  if (reader.failed || n > WEIR_NOTICES_MAX)
    return -EPROTO;
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_notice notice = { 0 };
      struct weir_reader record;

      if (!weir_reader_next_record (&reader, weir_read_u16 (&reader), &record))
        return -EPROTO;
      notice.code = weir_read_u16 (&record);
      notice.number = weir_read_u32 (&record);
      weir_read_string (&record, notice.text, sizeof notice.text);
      if (record.failed)
        return -EPROTO;
      /* One of a later version: whoever cannot word it leaves it out. */
      if (notice.code == 0 || notice.code > WEIR_NOTICE_ACCOUNTING_RECORD)
        continue;
      if (*ret_n < max)
        ret_notices[(*ret_n)++] = notice;
    }
  return weir_reader_result (&reader);
}
