/* SPDX-License-Identifier: GPL-3.0-or-later */
/* INTERFACES: records of varying size, each announced with it. */

#include "weir-wire-private.h"

#include <errno.h>
#include <string.h>

/* u8 family, u8 prefix length, 16 bytes of address. */
#define INTERFACE_ADDRESS_SIZE 18
/* u8 type, u16 link type, u32 master, u32 lower. */
#define INTERFACE_RELATIONS_SIZE (1 + 2 + 4 + 4)

static size_t
interface_size (const struct weir_interface_record *interface, size_t n_addresses)
{
  return 4 + 2 + strnlen (interface->name, sizeof interface->name - 1) + 2 +
         strnlen (interface->kind, sizeof interface->kind - 1) + 4 + 4 + 8 * 8 + 1 +
         (interface->has_rates ? 2 * 8 : 0) + 2 + n_addresses * INTERFACE_ADDRESS_SIZE +
         INTERFACE_RELATIONS_SIZE;
}

static void
write_interface (struct weir_writer *writer, const struct weir_interface_record *interface,
                 size_t n_addresses)
{
  weir_write_u16 (writer, (uint16_t) interface_size (interface, n_addresses));
  weir_write_u32 (writer, interface->index);
  weir_write_field (writer, interface->name, sizeof interface->name);
  weir_write_field (writer, interface->kind, sizeof interface->kind);
  weir_write_u32 (writer, interface->flags);
  weir_write_u32 (writer, interface->mtu);
  weir_write_u64 (writer, interface->rx_bytes);
  weir_write_u64 (writer, interface->tx_bytes);
  weir_write_u64 (writer, interface->rx_packets);
  weir_write_u64 (writer, interface->tx_packets);
  weir_write_u64 (writer, interface->rx_errors);
  weir_write_u64 (writer, interface->tx_errors);
  weir_write_u64 (writer, interface->rx_dropped);
  weir_write_u64 (writer, interface->tx_dropped);
  weir_write_u8 (writer, interface->has_rates);
  if (interface->has_rates)
    {
      weir_write_u64 (writer, interface->rx_rate);
      weir_write_u64 (writer, interface->tx_rate);
    }
  weir_write_u16 (writer, (uint16_t) n_addresses);
  for (size_t i = 0; i < n_addresses; i++)
    {
      weir_write_u8 (writer, interface->addresses[i].family);
      weir_write_u8 (writer, interface->addresses[i].prefix_length);
      weir_write_bytes (writer, interface->addresses[i].address, 16);
    }
  weir_write_u8 (writer, interface->type);
  weir_write_u16 (writer, interface->link_type);
  weir_write_u32 (writer, interface->master);
  weir_write_u32 (writer, interface->lower);
}

void
weir_write_interfaces (struct weir_writer *writer, const struct weir_interface_record *interfaces,
                       size_t n_interfaces)
{
  size_t n = n_interfaces < WEIR_INTERFACES_MAX ? n_interfaces : WEIR_INTERFACES_MAX;
  size_t room = WEIR_FRAME_BODY_MAX - 2;

  /* A machine with the most interfaces and the most addresses at once would not fit into a frame:
   * every interface gets in, and addresses as long as there is room for the interfaces after it. */
  for (size_t i = 0; i < n; i++)
    room -= 2 + interface_size (&interfaces[i], 0);

  weir_write_frame_begin (writer, WEIR_MESSAGE_INTERFACES);
  weir_write_u16 (writer, (uint16_t) n);
  for (size_t i = 0; i < n; i++)
    {
      size_t n_addresses = interfaces[i].n_addresses;

      if (n_addresses > WEIR_INTERFACE_ADDRESSES_MAX)
        n_addresses = WEIR_INTERFACE_ADDRESSES_MAX;
      if (n_addresses > room / INTERFACE_ADDRESS_SIZE)
        n_addresses = room / INTERFACE_ADDRESS_SIZE;
      room -= n_addresses * INTERFACE_ADDRESS_SIZE;
      write_interface (writer, &interfaces[i], n_addresses);
    }
  weir_write_frame_end (writer);
}

static void
read_addresses (struct weir_reader *reader, struct weir_interface_record *record)
{
  uint16_t n = weir_read_u16 (reader);

  if (n > WEIR_INTERFACE_ADDRESSES_MAX)
    {
      reader->failed = true;
      return;
    }
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_interface_address *address = &record->addresses[i];
      const uint8_t *bytes;

      address->family = weir_read_u8 (reader);
      address->prefix_length = weir_read_u8 (reader);
      bytes = weir_read_bytes (reader, sizeof address->address);
      if (bytes == NULL)
        return;
      memcpy (address->address, bytes, sizeof address->address);
      if ((address->family != 4 && address->family != 6) ||
          address->prefix_length > (address->family == 4 ? 32 : 128))
        {
          reader->failed = true;
          return;
        }
    }
  record->n_addresses = n;
}

static bool
read_interface (struct weir_reader *reader, struct weir_interface_record *record)
{
  memset (record, 0, sizeof *record);
  record->index = weir_read_u32 (reader);
  weir_read_string (reader, record->name, sizeof record->name);
  weir_read_string (reader, record->kind, sizeof record->kind);
  record->flags = weir_read_u32 (reader);
  record->mtu = weir_read_u32 (reader);
  record->rx_bytes = weir_read_u64 (reader);
  record->tx_bytes = weir_read_u64 (reader);
  record->rx_packets = weir_read_u64 (reader);
  record->tx_packets = weir_read_u64 (reader);
  record->rx_errors = weir_read_u64 (reader);
  record->tx_errors = weir_read_u64 (reader);
  record->rx_dropped = weir_read_u64 (reader);
  record->tx_dropped = weir_read_u64 (reader);
  record->has_rates = weir_read_u8 (reader) != 0;
  if (record->has_rates)
    {
      record->rx_rate = weir_read_u64 (reader);
      record->tx_rate = weir_read_u64 (reader);
    }
  read_addresses (reader, record);
  record->type = weir_read_u8 (reader);
  record->link_type = weir_read_u16 (reader);
  record->master = weir_read_u32 (reader);
  record->lower = weir_read_u32 (reader);
  return !reader->failed && record->type < WEIR_N_INTERFACE_TYPES;
}

int
weir_read_interfaces (const struct weir_frame *frame, weir_interface_func func, void *data)
{
  struct weir_reader reader;
  uint16_t n;

  if (!weir_reader_begin (&reader, frame, WEIR_MESSAGE_INTERFACES))
    return -EPROTO;
  n = weir_read_u16 (&reader);
  if (reader.failed || n > WEIR_INTERFACES_MAX)
    return -EPROTO;
  for (uint16_t i = 0; i < n; i++)
    {
      struct weir_interface_record record;
      struct weir_reader fields;

      if (!weir_reader_next_record (&reader, weir_read_u16 (&reader), &fields) ||
          !read_interface (&fields, &record))
        return -EPROTO;
      func (&record, data);
    }
  return weir_reader_result (&reader);
}
