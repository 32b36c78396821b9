/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Everything that turns a figure or a name from outside into text for people. */

/* "4.8 MB/s", "—" for WEIR_ABSENT and for 0; @bits: "38 Mbit/s".  Locale digits, non-breaking
 * space. */
char *
weir_format_rate (double bytes_per_second, gboolean bits);
/* "612 MB", "—" for WEIR_ABSENT. */
char *
weir_format_bytes (double bytes);
/* "12.4 ms", "—" for a negative value. */
char *
weir_format_duration_us (gint64 microseconds);
/* Text from outside, safe to show: invalid UTF-8, C0, DEL, C1, U+2028/9 and bidi controls become
 * U+FFFD.  Never markup.  Stops at NUL or @size bytes. */
char *
weir_format_sanitise (const char *text, gssize size);
/* Address and port as in weir_flow_get_remote(); @family 4 or 6. */
char *
weir_format_endpoint (guint8 family, const guint8 address[16], guint16 port, gboolean has_port);

G_END_DECLS
