/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Round trips, and what is refused, of the small messages. */
#include <errno.h>
#include <string.h>

#include "weir-wire.h"
#include "wire-samples.h"

/* The only frame in @writer. */
static struct weir_frame
only_frame (const struct weir_writer *writer)
{
  g_assert_cmpint (writer->error, ==, 0);
  return (struct weir_frame) {
    .type = (uint16_t) (writer->data[4] | writer->data[5] << 8),
    .body = writer->data + WEIR_FRAME_HEADER_SIZE,
    .size = writer->size - WEIR_FRAME_HEADER_SIZE,
  };
}

static void
test_hello (void)
{
  struct weir_hello hello = sample_hello (), back;
  struct weir_writer writer;
  struct weir_frame frame;

  weir_writer_init (&writer);
  weir_write_hello (&writer, &hello);
  frame = only_frame (&writer);
  g_assert_cmpuint (frame.size, <=, WEIR_FRAME_BODY_MAX_BEFORE_HELLO);
  g_assert_cmpint (weir_read_hello (&frame, &back), ==, 0);
  g_assert_cmpuint (back.version, ==, hello.version);
  g_assert_cmpmem (back.nonce, WEIR_NONCE_SIZE, hello.nonce, WEIR_NONCE_SIZE);
  g_assert_cmpuint (back.pid, ==, 77);
  g_assert_cmpuint (back.view, ==, WEIR_VIEW_FULL);
  g_assert_cmpstr (back.engine_version, ==, hello.engine_version);

  /* A view that does not exist. */
  writer.data[WEIR_FRAME_HEADER_SIZE + 2 + WEIR_NONCE_SIZE + 4] = 2;
  g_assert_cmpint (weir_read_hello (&frame, &back), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_other_version (void)
{
  const guint8 newer[] = { 2, 0 };
  struct weir_frame frame = { .type = WEIR_MESSAGE_HELLO, .body = newer, .size = 2 };
  struct weir_hello hello;

  /* Told apart from a malformed one, however the rest may look. */
  g_assert_cmpint (weir_read_hello (&frame, &hello), ==, -EPROTONOSUPPORT);
  frame.size = 1;
  g_assert_cmpint (weir_read_hello (&frame, &hello), ==, -EPROTO);
}

static void
test_sources (void)
{
  struct weir_source_status sources[] = {
    { WEIR_SOURCE_SOCKDIAG, WEIR_SOURCE_ACTIVE, WEIR_REASON_NONE, 0, 12, "" },
    { 77, WEIR_SOURCE_ACTIVE, WEIR_REASON_NONE, 0, 0, "not read" },
    { WEIR_SOURCE_CONNTRACK, WEIR_SOURCE_DEGRADED, WEIR_REASON_REFUSED, -5, G_MAXUINT64,
      "R1 is\n none" },
    { WEIR_SOURCE_OWNERS, WEIR_SOURCE_UNAVAILABLE, WEIR_REASON_STOPPED, 0, 0, "" },
  };
  struct weir_source_status back[2];
  struct weir_writer writer;
  struct weir_frame frame;
  size_t n;

  weir_writer_init (&writer);
  weir_write_sources (&writer, sources, G_N_ELEMENTS (sources));
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_sources (&frame, back, 2, &n), ==, 0);
  /* The unknown source is left out, and so is what finds no place. */
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (back[0].losses, ==, 12);
  g_assert_cmpuint (back[1].source, ==, WEIR_SOURCE_CONNTRACK);
  g_assert_cmpuint (back[1].state, ==, WEIR_SOURCE_DEGRADED);
  g_assert_cmpuint (back[1].reason, ==, WEIR_REASON_REFUSED);
  g_assert_cmpstr (back[0].said, ==, "");
  g_assert_cmpstr (back[1].said, ==, "R1 is\n none");
  g_assert_cmpint (back[1].error, ==, -5);
  g_assert_cmpuint (back[1].losses, ==, G_MAXUINT64);
  weir_writer_clear (&writer);

  sources[0].state = WEIR_SOURCE_ACTIVE + 1;
  weir_write_sources (&writer, sources, 1);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_sources (&frame, back, 2, &n), ==, -EPROTO);
  weir_writer_clear (&writer);

  sources[0].state = WEIR_SOURCE_ACTIVE;
  sources[0].reason = 999;
  weir_write_sources (&writer, sources, 1);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_sources (&frame, back, 2, &n), ==, -EPROTO);
  weir_writer_clear (&writer);
}

/* A later minor version appends to records and bodies: what is known is still found. */
static void
test_longer_records (void)
{
  struct weir_source_status back[4];
  struct weir_writer writer;
  struct weir_frame frame;
  size_t n;

  weir_writer_init (&writer);
  weir_write_frame_begin (&writer, WEIR_MESSAGE_SOURCES);
  weir_write_u16 (&writer, 2);
  weir_write_u16 (&writer, 20);
  for (guint8 i = 0; i < 2; i++)
    {
      weir_write_u8 (&writer, i);
      weir_write_u8 (&writer, WEIR_SOURCE_ACTIVE);
      weir_write_u16 (&writer, 0);
      weir_write_u32 (&writer, 0);
      weir_write_u64 (&writer, 100 + i);
      weir_write_u32 (&writer, 0xffffffff);
    }
  weir_write_string (&writer, "");
  weir_write_string (&writer, "said");
  weir_write_u64 (&writer, 7);
  weir_write_frame_end (&writer);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_sources (&frame, back, 4, &n), ==, 0);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (back[1].source, ==, WEIR_SOURCE_CONNTRACK);
  g_assert_cmpuint (back[1].losses, ==, 101);
  g_assert_cmpstr (back[1].said, ==, "said");
  weir_writer_clear (&writer);
}

static void
test_confinement (void)
{
  const struct weir_process_status processes[] = {
    { .role = 9, .pid = 1 },
    { .role = WEIR_ROLE_KEEPER,
      .pid = 10,
      .uid = 11,
      .cap_effective = 12,
      .cap_permitted = 13,
      .cap_inheritable = 14,
      .cap_bounding = 15,
      .cap_ambient = 16,
      .no_new_privs = 1,
      .layers_active = WEIR_LAYER_OWN_UID,
      .layers_missing = WEIR_LAYER_SECCOMP,
      .keeps = WEIR_KEEPING_LAST },
  };
  struct weir_process_status back[WEIR_N_ROLES], wrong = { .keeps = WEIR_KEEPING_LAST + 1 };
  struct weir_writer writer;
  struct weir_frame frame;
  size_t n;

  weir_writer_init (&writer);
  weir_write_confinement (&writer, processes, G_N_ELEMENTS (processes));
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_confinement (&frame, back, G_N_ELEMENTS (back), &n), ==, 0);
  g_assert_cmpuint (n, ==, 1);
  g_assert_cmpuint (back[0].role, ==, WEIR_ROLE_KEEPER);
  g_assert_cmpuint (back[0].pid, ==, 10);
  g_assert_cmpuint (back[0].uid, ==, 11);
  g_assert_cmpuint (back[0].cap_effective, ==, 12);
  g_assert_cmpuint (back[0].cap_permitted, ==, 13);
  g_assert_cmpuint (back[0].cap_inheritable, ==, 14);
  g_assert_cmpuint (back[0].cap_bounding, ==, 15);
  g_assert_cmpuint (back[0].cap_ambient, ==, 16);
  g_assert_cmpuint (back[0].no_new_privs, ==, 1);
  g_assert_cmpuint (back[0].layers_active, ==, WEIR_LAYER_OWN_UID);
  g_assert_cmpuint (back[0].layers_missing, ==, WEIR_LAYER_SECCOMP);
  g_assert_cmpuint (back[0].keeps, ==, WEIR_KEEPING_LAST);
  weir_writer_clear (&writer);

  weir_writer_init (&writer);
  weir_write_confinement (&writer, &wrong, 1);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_confinement (&frame, back, G_N_ELEMENTS (back), &n), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_tick (void)
{
  static const struct weir_tick tick = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, G_MAXUINT64, 12, 3 };
  struct weir_tick back;
  struct weir_writer writer;
  struct weir_frame frame;

  weir_writer_init (&writer);
  weir_write_tick (&writer, &tick);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_tick (&frame, &back), ==, 0);
  g_assert_cmpmem (&tick, sizeof tick, &back, sizeof back);
  weir_writer_clear (&writer);
}

static void
test_notices (void)
{
  struct weir_notice notices[] = {
    { .code = WEIR_NOTICE_CONFIG_SYNTAX, .number = 3 },
    { .code = 4000, .number = 1, .text = "of a later version" },
    { .code = WEIR_NOTICE_CONFIG_MORE, .number = G_MAXUINT32 },
  };
  struct weir_notice many[WEIR_NOTICES_MAX + 1] = { 0 }, back[WEIR_NOTICES_MAX];
  struct weir_writer writer;
  struct weir_frame frame;
  size_t n;

  /* Not terminated: cut. */
  memset (notices[0].text, 't', sizeof notices[0].text);
  weir_writer_init (&writer);
  weir_write_notices (&writer, notices, 3);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_notices (&frame, back, G_N_ELEMENTS (back), &n), ==, 0);
  g_assert_cmpuint (n, ==, 2);
  g_assert_cmpuint (back[0].code, ==, WEIR_NOTICE_CONFIG_SYNTAX);
  g_assert_cmpuint (back[0].number, ==, 3);
  g_assert_cmpuint (strlen (back[0].text), ==, sizeof notices[0].text - 1);
  g_assert_cmpuint (back[1].code, ==, WEIR_NOTICE_CONFIG_MORE);
  g_assert_cmpuint (back[1].number, ==, G_MAXUINT32);
  g_assert_cmpint (weir_read_notices (&frame, back, 1, &n), ==, 0);
  g_assert_cmpuint (n, ==, 1);
  weir_writer_clear (&writer);

  /* No more than may be. */
  for (guint i = 0; i < G_N_ELEMENTS (many); i++)
    many[i].code = WEIR_NOTICE_CONFIG_SYNTAX;
  weir_write_notices (&writer, many, G_N_ELEMENTS (many));
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_notices (&frame, back, G_N_ELEMENTS (back), &n), ==, 0);
  g_assert_cmpuint (n, ==, WEIR_NOTICES_MAX);
  writer.data[WEIR_FRAME_HEADER_SIZE]++;
  g_assert_cmpint (weir_read_notices (&frame, back, G_N_ELEMENTS (back), &n), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_error_and_bye (void)
{
  struct weir_error error = { .code = WEIR_ERROR_STRICT, .error = -13 }, back;
  enum weir_bye_reason reason;
  struct weir_writer writer;
  struct weir_frame frame;

  /* Not terminated: cut, not read beyond. */
  memset (error.what, 'w', sizeof error.what);
  weir_writer_init (&writer);
  weir_write_error (&writer, &error);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_error (&frame, &back), ==, 0);
  g_assert_cmpuint (back.code, ==, WEIR_ERROR_STRICT);
  g_assert_cmpint (back.error, ==, -13);
  g_assert_cmpuint (strlen (back.what), ==, sizeof error.what - 1);
  weir_writer_clear (&writer);

  error.code = 1000;
  weir_write_error (&writer, &error);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_error (&frame, &back), ==, -EPROTO);
  weir_writer_clear (&writer);

  weir_write_bye (&writer, WEIR_BYE_LEASH);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_bye (&frame, &reason), ==, 0);
  g_assert_cmpuint (reason, ==, WEIR_BYE_LEASH);
  writer.data[WEIR_FRAME_HEADER_SIZE] = 200;
  g_assert_cmpint (weir_read_bye (&frame, &reason), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_news (void)
{
  struct weir_writer writer;
  struct weir_frame frame;
  uint64_t monotonic;

  weir_writer_init (&writer);
  weir_write_news (&writer, UINT64_C (0x0102030405060708));
  frame = only_frame (&writer);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_NEWS);
  g_assert_cmpint (weir_read_news (&frame, &monotonic), ==, 0);
  g_assert_cmphex (monotonic, ==, UINT64_C (0x0102030405060708));
  frame.size--;
  g_assert_cmpint (weir_read_news (&frame, &monotonic), ==, -EPROTO);
  weir_writer_clear (&writer);
}

static void
test_requests (void)
{
  struct weir_writer writer;
  struct weir_frame frame;
  struct weir_wish wish = { .interval_ms = 250, .announce_ms = 20, .rows = 7 };

  weir_writer_init (&writer);
  weir_write_start (&writer, &wish);
  frame = only_frame (&writer);
  g_assert_cmpuint (frame.size, <=, WEIR_REQUEST_BODY_MAX);
  g_assert_cmpint (weir_read_start (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.interval_ms, ==, 250);
  g_assert_cmpuint (wish.announce_ms, ==, 20);
  g_assert_cmpuint (wish.rows, ==, 7);
  /* One kind of request is not taken for another. */
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, -EPROTO);
  weir_writer_clear (&writer);

  wish = (struct weir_wish) { .interval_ms = G_MAXUINT32, .announce_ms = 5, .rows = 9 };
  weir_write_interval (&writer, &wish);
  frame = only_frame (&writer);
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.interval_ms, ==, G_MAXUINT32);
  g_assert_cmpuint (wish.announce_ms, ==, 5);
  /* An older front end says nothing of rows, or wishes for nothing before the tick either; and half
   * a wish is none. */
  frame.size = 8;
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.announce_ms, ==, 5);
  g_assert_cmpuint (wish.rows, ==, 0);
  frame.size = 11;
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, -EPROTO);
  frame.size = 4;
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, 0);
  g_assert_cmpuint (wish.interval_ms, ==, G_MAXUINT32);
  g_assert_cmpuint (wish.announce_ms, ==, 0);
  frame.size = 7;
  g_assert_cmpint (weir_read_interval (&frame, &wish), ==, -EPROTO);
  weir_writer_clear (&writer);

  weir_write_stop (&writer);
  frame = only_frame (&writer);
  g_assert_cmpuint (frame.type, ==, WEIR_MESSAGE_STOP);
  g_assert_cmpuint (frame.size, ==, 0);
  weir_writer_clear (&writer);
}

int
main (int argc, char *argv[])
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handoff/wire-messages/hello", test_hello);
  g_test_add_func ("/handoff/wire-messages/other-version", test_other_version);
  g_test_add_func ("/handoff/wire-messages/sources", test_sources);
  g_test_add_func ("/handoff/wire-messages/longer-records", test_longer_records);
  g_test_add_func ("/handoff/wire-messages/confinement", test_confinement);
  g_test_add_func ("/handoff/wire-messages/tick", test_tick);
  g_test_add_func ("/handoff/wire-messages/notices", test_notices);
  g_test_add_func ("/handoff/wire-messages/error-and-bye", test_error_and_bye);
  g_test_add_func ("/handoff/wire-messages/news", test_news);
  g_test_add_func ("/handoff/wire-messages/requests", test_requests);
  return g_test_run ();
}
