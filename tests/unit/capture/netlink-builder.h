/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Builds netlink messages as the kernel would, and as it never would. */
#pragma once

#include <glib.h>
#include <linux/netlink.h>
#include <string.h>

struct builder
{
  _Alignas (struct nlmsghdr) guint8 data[8192];
  gsize message; /* offset of the open message */
  gsize size;
};

static inline struct nlmsghdr *
builder_header (struct builder *builder)
{
  return (struct nlmsghdr *) (void *) (builder->data + builder->message);
}

static inline void
builder_put (struct builder *builder, const void *data, gsize size)
{
  g_assert_cmpuint (builder->size + NLMSG_ALIGN (size), <=, sizeof builder->data);
  memset (builder->data + builder->size, 0, NLMSG_ALIGN (size));
  if (size > 0)
    memcpy (builder->data + builder->size, data, size);
  builder->size += NLMSG_ALIGN (size);
  builder_header (builder)->nlmsg_len = (guint32) (builder->size - builder->message);
}

static inline void
builder_begin (struct builder *builder, guint16 type, const void *header, gsize size)
{
  struct nlmsghdr message = { .nlmsg_type = type };

  builder->message = builder->size;
  builder_put (builder, &message, sizeof message);
  builder_put (builder, header, size);
}

static inline void
builder_attribute (struct builder *builder, guint16 type, const void *data, gsize size)
{
  struct nlattr header = { .nla_type = type, .nla_len = (guint16) (NLA_HDRLEN + size) };

  builder_put (builder, &header, sizeof header);
  builder_put (builder, data, size);
}

static inline gsize
builder_open (struct builder *builder, guint16 type)
{
  gsize at = builder->size;

  builder_attribute (builder, type | NLA_F_NESTED, NULL, 0);
  return at;
}

static inline void
builder_close (struct builder *builder, gsize at)
{
  struct nlattr header;

  memcpy (&header, builder->data + at, sizeof header);
  header.nla_len = (guint16) (builder->size - at);
  memcpy (builder->data + at, &header, sizeof header);
}
