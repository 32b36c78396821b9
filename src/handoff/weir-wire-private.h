/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Shared by the files of the wire library, and by nobody else. */
#pragma once

#include "weir-wire.h"

/* A text field that holds at most @size - 1 bytes, terminated or not; NULL is the empty string. */
void
weir_write_field (struct weir_writer *writer, const char *string, size_t size);

/* Begins to read a body; false when the frame is of another type. */
bool
weir_reader_begin (struct weir_reader *reader, const struct weir_frame *frame,
                   enum weir_message type);
/* Opens the next @size bytes of a list as a record of their own, so that reading one can neither
 * run into the next nor lose its place; false when the body ends before. */
bool
weir_reader_next_record (struct weir_reader *list, size_t size, struct weir_reader *ret_record);
/* 0 or -EPROTO. */
int
weir_reader_result (const struct weir_reader *reader);
