/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small messages.  One rule for all enumerations (PROTOCOL.md, "Versions"): a value that this
 * version does not know is malformed, except where a whole record can be left out. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

/* Fixed records are announced with their size, so that a later minor version can append fields. */
#define SOURCE_RECORD_SIZE  16
#define PROCESS_RECORD_SIZE 59

/* ---- HELLO ---- */

void
weir_write_hello (struct weir_writer *writer, const struct weir_hello *hello)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_HELLO);
  weir_write_u16 (writer, hello->version);
  weir_write_bytes (writer, hello->nonce, sizeof hello->nonce);
  weir_write_u32 (writer, hello->pid);
  weir_write_u8 (writer, hello->view);
  weir_write_field (writer, hello->engine_version, sizeof hello->engine_version);
  weir_write_frame_end (writer);
}

int
weir_read_hello (const struct weir_frame *frame, struct weir_hello *ret_hello)
{
  struct weir_reader reader;
  const uint8_t *nonce;

  memset (ret_hello, 0, sizeof *ret_hello);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_HELLO))
    return -EPROTO;
  ret_hello->version = weir_read_u16 (&reader);
  if (reader.failed)
    return -EPROTO;
  /* Nothing else is believed: another version may have laid it out differently. */
  if (ret_hello->version != WEIR_PROTOCOL_VERSION)
    return -EPROTONOSUPPORT;
  nonce = weir_read_bytes (&reader, WEIR_NONCE_SIZE);
  if (nonce != NULL)
    memcpy (ret_hello->nonce, nonce, WEIR_NONCE_SIZE);
  ret_hello->pid = weir_read_u32 (&reader);
  ret_hello->view = weir_read_u8 (&reader);
  if (ret_hello->view > WEIR_VIEW_FULL)
    reader.failed = true;
  weir_read_string (&reader, ret_hello->engine_version, sizeof ret_hello->engine_version);
  return weir_reader_result (&reader);
}

/* ---- SOURCES ---- */

void
weir_write_sources (struct weir_writer *writer, const struct weir_source_status *sources,
                    size_t n_sources)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_SOURCES);
  weir_write_u16 (writer, (uint16_t) n_sources);
  weir_write_u16 (writer, SOURCE_RECORD_SIZE);
  for (size_t i = 0; i < (uint16_t) n_sources; i++)
    {
      weir_write_u8 (writer, sources[i].source);
      weir_write_u8 (writer, sources[i].state);
      weir_write_u16 (writer, sources[i].reason);
      weir_write_u32 (writer, (uint32_t) sources[i].error);
      weir_write_u64 (writer, sources[i].losses);
    }
  for (size_t i = 0; i < (uint16_t) n_sources; i++)
    weir_write_field (writer, sources[i].said, sizeof sources[i].said);
  weir_write_frame_end (writer);
}

int
weir_read_sources (const struct weir_frame *frame, struct weir_source_status *ret_sources,
                   size_t max, size_t *ret_n)
{
  struct weir_reader reader, records;
  uint16_t n, record_size;

  *ret_n = 0;
  memset (ret_sources, 0, max * sizeof *ret_sources);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_SOURCES))
    return -EPROTO;
  n = weir_read_u16 (&reader);
  record_size = weir_read_u16 (&reader);
  if (reader.failed || record_size < SOURCE_RECORD_SIZE ||
      !weir_reader_next_record (&reader, (size_t) n * record_size, &records))
    return -EPROTO;
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_source_status status = { 0 };
      struct weir_reader record;

      if (!weir_reader_next_record (&records, record_size, &record))
        return -EPROTO;
      status.source = weir_read_u8 (&record);
      status.state = weir_read_u8 (&record);
      status.reason = weir_read_u16 (&record);
      status.error = (int32_t) weir_read_u32 (&record);
      status.losses = weir_read_u64 (&record);
      weir_read_string (&reader, status.said, sizeof status.said);
      if (status.source >= WEIR_N_SOURCES)
        continue;
      if (status.state > WEIR_SOURCE_ACTIVE || status.reason > WEIR_REASON_LAST)
        return -EPROTO;
      if (*ret_n < max)
        ret_sources[(*ret_n)++] = status;
    }
  return weir_reader_result (&reader);
}

/* ---- CONFINEMENT ---- */

void
weir_write_confinement (struct weir_writer *writer, const struct weir_process_status *processes,
                        size_t n_processes)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_CONFINEMENT);
  weir_write_u16 (writer, (uint16_t) n_processes);
  weir_write_u16 (writer, PROCESS_RECORD_SIZE);
  for (size_t i = 0; i < (uint16_t) n_processes; i++)
    {
      const struct weir_process_status *process = &processes[i];

      weir_write_u8 (writer, process->role);
      weir_write_u32 (writer, process->pid);
      weir_write_u32 (writer, process->uid);
      weir_write_u64 (writer, process->cap_effective);
      weir_write_u64 (writer, process->cap_permitted);
      weir_write_u64 (writer, process->cap_inheritable);
      weir_write_u64 (writer, process->cap_bounding);
      weir_write_u64 (writer, process->cap_ambient);
      weir_write_u8 (writer, process->no_new_privs);
      weir_write_u32 (writer, process->layers_active);
      weir_write_u32 (writer, process->layers_missing);
      weir_write_u8 (writer, process->keeps);
    }
  weir_write_frame_end (writer);
}

int
weir_read_confinement (const struct weir_frame *frame, struct weir_process_status *ret_processes,
                       size_t max, size_t *ret_n)
{
  struct weir_reader reader;
  uint16_t n, record_size;

  *ret_n = 0;
  memset (ret_processes, 0, max * sizeof *ret_processes);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_CONFINEMENT))
    return -EPROTO;
  n = weir_read_u16 (&reader);
  record_size = weir_read_u16 (&reader);
  if (reader.failed || record_size < PROCESS_RECORD_SIZE)
    return -EPROTO;
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_process_status status;
      struct weir_reader record;

      if (!weir_reader_next_record (&reader, record_size, &record))
        return -EPROTO;
      status.role = weir_read_u8 (&record);
      status.pid = weir_read_u32 (&record);
      status.uid = weir_read_u32 (&record);
      status.cap_effective = weir_read_u64 (&record);
      status.cap_permitted = weir_read_u64 (&record);
      status.cap_inheritable = weir_read_u64 (&record);
      status.cap_bounding = weir_read_u64 (&record);
      status.cap_ambient = weir_read_u64 (&record);
      status.no_new_privs = weir_read_u8 (&record);
      status.layers_active = weir_read_u32 (&record);
      status.layers_missing = weir_read_u32 (&record);
      status.keeps = weir_read_u8 (&record);
      if (status.keeps > WEIR_KEEPING_LAST)
        return -EPROTO;
      if (status.role < WEIR_N_ROLES && *ret_n < max)
        ret_processes[(*ret_n)++] = status;
    }
  return weir_reader_result (&reader);
}

/* ---- TICK ---- */

void
weir_write_tick (struct weir_writer *writer, const struct weir_tick *tick)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_TICK);
  weir_write_u64 (writer, tick->sequence);
  weir_write_u64 (writer, tick->monotonic);
  weir_write_u64 (writer, tick->realtime);
  weir_write_u64 (writer, tick->interval);
  weir_write_u32 (writer, tick->flows_tracked);
  weir_write_u32 (writer, tick->flows_published);
  weir_write_u64 (writer, tick->others_rx_bytes);
  weir_write_u64 (writer, tick->others_tx_bytes);
  weir_write_u64 (writer, tick->others_rx_rate);
  weir_write_u64 (writer, tick->others_tx_rate);
  weir_write_u64 (writer, tick->flows_refused);
  weir_write_u64 (writer, tick->coalesced);
  weir_write_u32 (writer, tick->cadence_ms);
  weir_write_u8 (writer, tick->cadence);
  weir_write_frame_end (writer);
}

int
weir_read_tick (const struct weir_frame *frame, struct weir_tick *ret_tick)
{
  struct weir_reader reader;

  memset (ret_tick, 0, sizeof *ret_tick);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_TICK))
    return -EPROTO;
  ret_tick->sequence = weir_read_u64 (&reader);
  ret_tick->monotonic = weir_read_u64 (&reader);
  ret_tick->realtime = weir_read_u64 (&reader);
  ret_tick->interval = weir_read_u64 (&reader);
  ret_tick->flows_tracked = weir_read_u32 (&reader);
  ret_tick->flows_published = weir_read_u32 (&reader);
  ret_tick->others_rx_bytes = weir_read_u64 (&reader);
  ret_tick->others_tx_bytes = weir_read_u64 (&reader);
  ret_tick->others_rx_rate = weir_read_u64 (&reader);
  ret_tick->others_tx_rate = weir_read_u64 (&reader);
  ret_tick->flows_refused = weir_read_u64 (&reader);
  ret_tick->coalesced = weir_read_u64 (&reader);
  ret_tick->cadence_ms = weir_read_u32 (&reader);
  ret_tick->cadence = weir_read_u8 (&reader);
  return weir_reader_result (&reader);
}

/* ---- NEWS ---- */

void
weir_write_news (struct weir_writer *writer, uint64_t monotonic)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_NEWS);
  weir_write_u64 (writer, monotonic);
  weir_write_frame_end (writer);
}

int
weir_read_news (const struct weir_frame *frame, uint64_t *ret_monotonic)
{
  struct weir_reader reader;

  *ret_monotonic = 0;
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_NEWS))
    return -EPROTO;
  *ret_monotonic = weir_read_u64 (&reader);
  return weir_reader_result (&reader);
}

/* ---- ERROR and BYE ---- */

void
weir_write_error (struct weir_writer *writer, const struct weir_error *error)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_ERROR);
  weir_write_u16 (writer, error->code);
  weir_write_u32 (writer, (uint32_t) error->error);
  weir_write_field (writer, error->what, sizeof error->what);
  weir_write_frame_end (writer);
}

int
weir_read_error (const struct weir_frame *frame, struct weir_error *ret_error)
{
  struct weir_reader reader;

  memset (ret_error, 0, sizeof *ret_error);
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_ERROR))
    return -EPROTO;
  ret_error->code = weir_read_u16 (&reader);
  ret_error->error = (int32_t) weir_read_u32 (&reader);
  weir_read_string (&reader, ret_error->what, sizeof ret_error->what);
  if (ret_error->code > WEIR_ERROR_STRICT)
    return -EPROTO;
  return weir_reader_result (&reader);
}

void
weir_write_bye (struct weir_writer *writer, enum weir_bye_reason reason)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_BYE);
  weir_write_u8 (writer, (uint8_t) reason);
  weir_write_frame_end (writer);
}

int
weir_read_bye (const struct weir_frame *frame, enum weir_bye_reason *ret_reason)
{
  struct weir_reader reader;
  uint8_t reason;

  *ret_reason = WEIR_BYE_ERROR;
  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_BYE))
    return -EPROTO;
  reason = weir_read_u8 (&reader);
  if (reader.failed || reason > WEIR_BYE_ERROR)
    return -EPROTO;
  *ret_reason = (enum weir_bye_reason) reason;
  return 0;
}

/* ---- requests ---- */

static void
write_wish (struct weir_writer *writer, enum weir_message type, const struct weir_wish *wish)
{
  weir_write_frame_begin (writer, type);
  weir_write_u32 (writer, wish->interval_ms);
  weir_write_u32 (writer, wish->announce_ms);
  weir_write_u32 (writer, wish->rows);
  weir_write_frame_end (writer);
}

static int
read_wish (const struct weir_frame *frame, enum weir_message type, struct weir_wish *ret_wish)
{
  struct weir_reader reader;

  *ret_wish = (struct weir_wish) { 0 };
  if (!weir_reader_begin (&reader, frame, type))
    return -EPROTO;
  ret_wish->interval_ms = weir_read_u32 (&reader);
  /* An older front end ends here, or here. */
  if (reader.at < reader.end)
    ret_wish->announce_ms = weir_read_u32 (&reader);
  if (reader.at < reader.end)
    ret_wish->rows = weir_read_u32 (&reader);
  return weir_reader_result (&reader);
}

void
weir_write_start (struct weir_writer *writer, const struct weir_wish *wish)
{
  write_wish (writer, WEIR_MESSAGE_START, wish);
}

void
weir_write_interval (struct weir_writer *writer, const struct weir_wish *wish)
{
  write_wish (writer, WEIR_MESSAGE_INTERVAL, wish);
}

void
weir_write_stop (struct weir_writer *writer)
{
  weir_write_frame_begin (writer, WEIR_MESSAGE_STOP);
  weir_write_frame_end (writer);
}

int
weir_read_start (const struct weir_frame *frame, struct weir_wish *ret_wish)
{
  return read_wish (frame, WEIR_MESSAGE_START, ret_wish);
}

int
weir_read_interval (const struct weir_frame *frame, struct weir_wish *ret_wish)
{
  return read_wish (frame, WEIR_MESSAGE_INTERVAL, ret_wish);
}
