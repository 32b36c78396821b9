/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "weir-receiver-private.h"

#include <linux/if_ether.h>
#include <netinet/in.h>

#include <glib/gi18n-lib.h>

#include "weir-app-identity.h"
#include "weir-flow-texts.h"
#include "weir-format.h"
#include "weir-user-names.h"

G_DEFINE_FINAL_TYPE (WeirReceiver, weir_receiver, G_TYPE_OBJECT)

static void
forget_texts (WeirReceiver *self)
{
  g_clear_pointer (&self->protocol, g_free);
  g_clear_pointer (&self->local, g_free);
  g_clear_pointer (&self->app, g_free);
  g_clear_pointer (&self->comm, g_free);
  g_clear_pointer (&self->user, g_free);
}

static void
weir_receiver_finalize (GObject *object)
{
  forget_texts (WEIR_RECEIVER (object));
  G_OBJECT_CLASS (weir_receiver_parent_class)->finalize (object);
}

static void
weir_receiver_class_init (WeirReceiverClass *class)
{
  G_OBJECT_CLASS (class)->finalize = weir_receiver_finalize;
}

static void
weir_receiver_init (WeirReceiver *self)
{
  self->since = -1;
}

/* ---- for the store ---- */

WeirReceiver *
weir_receiver_new (const struct weir_receiver_record *record)
{
  WeirReceiver *self = g_object_new (WEIR_TYPE_RECEIVER, NULL);

  weir_receiver_set_record (self, record);
  return self;
}

void
weir_receiver_set_record (WeirReceiver *self, const struct weir_receiver_record *record)
{
  self->id = record->id;
  self->record = *record;
  self->is_touched = TRUE;
  forget_texts (self);
  /* Asked for early: a table that is printed once does not wait for the answer. */
  if (record->has_uid)
    weir_user_names_get (record->uid);
}

void
weir_receiver_learn_since (WeirReceiver *self, const struct weir_tick *tick)
{
  guint64 first_seen = self->record.first_seen;

  if (self->since >= 0 || first_seen == 0 || first_seen > tick->monotonic ||
      tick->monotonic - first_seen > tick->realtime)
    return;
  self->since = (gint64) ((tick->realtime - (tick->monotonic - first_seen)) / 1000);
}

/* ---- for everybody ---- */

const struct weir_receiver_record *
weir_receiver_get_record (WeirReceiver *self)
{
  return &self->record;
}

static char *
make_ethertype (guint16 type)
{
  switch (type)
    {
    case 0:
      return g_strdup (_ ("Packets, sending only"));
    case ETH_P_ALL:
      return g_strdup (_ ("All packets"));
    case ETH_P_IP:
      return g_strdup (_ ("IPv4 packets"));
    case ETH_P_IPV6:
      return g_strdup (_ ("IPv6 packets"));
    case ETH_P_ARP:
      return g_strdup (_ ("ARP packets"));
    case ETH_P_PAE:
      return g_strdup (_ ("802.1X packets"));
    default:
      /* TRANSLATORS: a number that says what packets hold */
      return g_strdup_printf (_ ("Packets of type 0x%04x"), type);
    }
}

static char *
make_protocol (const struct weir_receiver_record *record)
{
  const char *name = weir_flow_texts_get_protocol_name ((guint8) record->protocol);
  g_autofree char *number = g_strdup_printf ("%u", record->protocol);

  if (name == NULL)
    name = number;
  switch (record->kind)
    {
    case WEIR_SOCKET_RAW:
      return record->protocol == IPPROTO_RAW ? g_strdup (_ ("Raw, sending only"))
                                             /* TRANSLATORS: a protocol, past its own sockets */
                                             : g_strdup_printf (_ ("%s, raw"), name);
    case WEIR_SOCKET_PING:
      /* TRANSLATORS: a protocol, such as ICMP */
      return g_strdup_printf (_ ("%s, ping"), name);
    case WEIR_SOCKET_PACKET:
      return make_ethertype (record->protocol);
    default:
      return g_strdup (name);
    }
}

const char *
weir_receiver_get_protocol (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), NULL);
  if (self->protocol == NULL)
    self->protocol = make_protocol (&self->record);
  return self->protocol;
}

static char *
make_local (const struct weir_receiver_record *record)
{
  gboolean has_port = record->kind == WEIR_SOCKET_PORT || record->kind == WEIR_SOCKET_PING;
  struct weir_endpoint address = record->local;

  address.port = 0;
  if (record->kind != WEIR_SOCKET_PACKET && !weir_endpoint_is_any (&address, record->family))
    return weir_format_endpoint (record->family, record->local.address, record->local.port,
                                 has_port);
  return has_port ? g_strdup_printf ("*:%u", record->local.port) : g_strdup ("*");
}

const char *
weir_receiver_get_local (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), NULL);
  if (self->local == NULL)
    self->local = make_local (&self->record);
  return self->local;
}

const char *
weir_receiver_get_app_name (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), NULL);
  if (self->app == NULL)
    {
      g_auto (WeirAppIdentity) identity = { 0 };
      weir_app_identity_init (&identity, self->record.cgroup, self->record.comm);
      self->app = g_steal_pointer (&identity.name);
    }
  return self->app;
}

const char *
weir_receiver_get_comm (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), NULL);
  if (self->comm == NULL && self->record.comm[0] != '\0')
    self->comm = weir_format_sanitise (self->record.comm, sizeof self->record.comm);
  return self->comm;
}

const char *
weir_receiver_get_user (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), NULL);
  if (!self->record.has_uid)
    return NULL;
  /* Names come later than numbers. */
  const char *name = weir_user_names_get (self->record.uid);
  if (name != NULL)
    return name;
  if (self->user == NULL)
    self->user = g_strdup_printf ("%u", self->record.uid);
  return self->user;
}

gint64
weir_receiver_get_since (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), -1);
  return self->since;
}

WeirExposure
weir_receiver_get_exposure (WeirReceiver *self)
{
  g_return_val_if_fail (WEIR_IS_RECEIVER (self), WEIR_EXPOSURE_ANYWHERE);
  return weir_exposure_find (&self->record);
}
