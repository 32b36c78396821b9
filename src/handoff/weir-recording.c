/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "weir-handoff"
#include "config.h"

#include "weir-recording.h"

#include <errno.h>
#include <string.h>

#include <glib/gi18n-lib.h>

#include "weir-listener.h"

static void
append_frame (GByteArray *recording, guint64 offset_ns, const struct weir_writer *frame)
{
  guint64 offset = GUINT64_TO_LE (offset_ns);

  g_byte_array_append (recording, (const guint8 *) &offset, sizeof offset);
  g_byte_array_append (recording, frame->data, (guint) frame->size);
}

GByteArray *
weir_recording_new (const struct weir_hello *hello)
{
  GByteArray *recording = g_byte_array_new ();
  guint32 version = GUINT32_TO_LE (WEIR_RECORDING_VERSION);
  struct weir_hello anonymous = *hello;
  struct weir_writer writer;

  memset (anonymous.nonce, 0, sizeof anonymous.nonce);
  weir_writer_init (&writer);
  weir_write_hello (&writer, &anonymous);
  g_byte_array_append (recording, (const guint8 *) WEIR_RECORDING_MAGIC,
                       sizeof WEIR_RECORDING_MAGIC - 1);
  g_byte_array_append (recording, (const guint8 *) &version, sizeof version);
  append_frame (recording, 0, &writer);
  weir_writer_clear (&writer);
  return recording;
}

void
weir_recording_append (GByteArray *recording, guint64 offset_ns, const struct weir_frame *frame)
{
  struct weir_writer writer;

  weir_writer_init (&writer);
  weir_write_frame_begin (&writer, (enum weir_message) frame->type);
  weir_write_bytes (&writer, frame->body, frame->size);
  weir_write_frame_end (&writer);
  if (writer.error == 0)
    append_frame (recording, offset_ns, &writer);
  weir_writer_clear (&writer);
}

int
weir_recording_next (struct weir_recording *recording, guint64 *ret_offset_ns,
                     struct weir_frame *ret_frame)
{
  struct weir_reader *reader = &recording->reader;
  guint32 size;

  if (reader->failed)
    return -EPROTO;
  if (reader->at == reader->end)
    return 0;
  *ret_offset_ns = weir_read_u64 (reader);
  size = weir_read_u32 (reader);
  ret_frame->type = weir_read_u16 (reader);
  ret_frame->flags = weir_read_u16 (reader);
  if (size > WEIR_FRAME_BODY_MAX)
    reader->failed = true;
  ret_frame->body = weir_read_bytes (reader, size);
  ret_frame->size = size;
  return reader->failed ? -EPROTO : 1;
}

gboolean
weir_recording_open (struct weir_recording *recording, const void *data, gsize size, GError **error)
{
  const guint8 *magic;
  guint32 version;
  struct weir_frame frame;
  guint64 offset;

  weir_reader_init (&recording->reader, data, size);
  magic = weir_read_bytes (&recording->reader, sizeof WEIR_RECORDING_MAGIC - 1);
  version = weir_read_u32 (&recording->reader);
  if (magic == NULL || memcmp (magic, WEIR_RECORDING_MAGIC, sizeof WEIR_RECORDING_MAGIC - 1) != 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_FAILED,
                   _ ("This is not a recording of Weir."));
      return FALSE;
    }
  if (version != WEIR_RECORDING_VERSION || weir_recording_next (recording, &offset, &frame) != 1 ||
      weir_read_hello (&frame, &recording->hello) < 0)
    {
      g_set_error (error, WEIR_HANDOFF_ERROR, WEIR_HANDOFF_ERROR_VERSION,
                   _ ("This recording is damaged, or was made by another version of Weir."));
      return FALSE;
    }
  return TRUE;
}
