/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network namespaces as kernel programs name them: by cookies, which nobody else tells.
 *
 * Those in which the engine has sockets are known from the start.  Of others a process that made a
 * socket there can tell: the looker says which namespace it is in.  It may have gone elsewhere
 * since it made the socket, so it is believed only within limits: it was there when the socket was
 * made; it was looked at after that; the namespace that it is in is not the engine's own, and has
 * no other cookie; and what was believed once stays.  So a process can at worst have its own
 * sockets, made in a namespace of its own, shown as those of another namespace that it may enter.
 *
 * Processes of inner pid namespaces have no number that kernel programs could tell an engine that
 * is in one itself.  What is listed of their namespaces can tell instead: a connection between the
 * same ends, of the same user.  Who makes the like elsewhere can take in only connections of his
 * own. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "weir-join.h"

struct learned
{
  uint32_t number; /* weir_netns_is_unknown() */
  uint32_t inode;
};

static struct weir_cookie *
find_cookie (struct weir_join_bpf *bpf, uint64_t cookie)
{
  if (bpf->last_cookie < bpf->n_cookies && bpf->cookies[bpf->last_cookie].cookie == cookie)
    {
      bpf->cookies[bpf->last_cookie].used = ++bpf->look_ups;
      return &bpf->cookies[bpf->last_cookie];
    }
  for (uint32_t i = 0; i < bpf->n_cookies; i++)
    {
      if (bpf->cookies[i].cookie != cookie)
        continue;
      bpf->last_cookie = i;
      bpf->cookies[i].used = ++bpf->look_ups;
      return &bpf->cookies[i];
    }
  return NULL;
}

static struct weir_cookie *
add_cookie (struct weir_join_bpf *bpf, uint64_t cookie)
{
  uint32_t oldest = UINT32_MAX, at = bpf->n_cookies;

  if (at == WEIR_COOKIES_MAX)
    {
      for (uint32_t i = 0; i < bpf->n_cookies; i++)
        {
          if (!bpf->cookies[i].is_fixed &&
              (oldest == UINT32_MAX ||
               (int32_t) (bpf->cookies[i].used - bpf->cookies[oldest].used) < 0))
            oldest = i;
        }
      if (oldest == UINT32_MAX)
        return NULL;
      at = oldest;
    }
  else
    bpf->n_cookies++;
  bpf->cookies[at] = (struct weir_cookie) { .cookie = cookie, .used = ++bpf->look_ups };
  return &bpf->cookies[at];
}

static uint32_t
take_number (struct weir_join_bpf *bpf)
{
  const uint32_t number = bpf->next_unknown++;

  if (bpf->next_unknown == WEIR_NETNS_UNKNOWN_LAST)
    bpf->next_unknown = WEIR_NETNS_UNKNOWN_FIRST;
  return number;
}

void
weir_join_set_netns_cookie (struct weir_join *join, uint32_t inode, uint64_t cookie)
{
  struct weir_cookie *known;

  if (cookie == 0)
    return;
  known = find_cookie (&join->bpf, cookie);
  if (known == NULL)
    known = add_cookie (&join->bpf, cookie);
  if (known == NULL)
    return;
  known->inode = inode;
  known->is_fixed = true;
}

uint32_t
weir_join_need_netns (struct weir_join *join, uint64_t cookie)
{
  struct weir_cookie *known = find_cookie (&join->bpf, cookie);

  if (known != NULL)
    return known->inode;
  known = add_cookie (&join->bpf, cookie);
  if (known == NULL)
    return WEIR_NETNS_UNKNOWN_LAST;
  known->inode = take_number (&join->bpf);
  return known->inode;
}

void
weir_join_note_maker (struct weir_join *join, uint64_t cookie, uint32_t maker, uint64_t born)
{
  const struct weir_owner *owner = weir_owners_get (&join->owners, maker);
  struct weir_cookie *known;

  if (cookie == 0 || owner == NULL)
    return;
  known = find_cookie (&join->bpf, cookie);
  if (known == NULL || known->maker != 0 || !weir_netns_is_unknown (known->inode))
    return;
  known->maker = maker;
  known->maker_pid = owner->pid;
  known->born = born;
}

static bool
is_taken (const struct weir_join *join, uint32_t inode)
{
  if (inode == join->own.inode)
    return true;
  for (uint32_t i = 0; i < join->bpf.n_cookies; i++)
    {
      if (join->bpf.cookies[i].inode == inode)
        return true;
    }
  return false;
}

/* Whether @cookie came to be known. */
static bool
learn (struct weir_join *join, struct weir_cookie *cookie)
{
  const struct weir_owner *maker = weir_owners_get (&join->owners, cookie->maker);
  uint32_t inode;

  if (maker == NULL)
    return false;
  /* Somebody else has its place. */
  if (!maker->in_use || !maker->is_process || maker->pid != cookie->maker_pid || maker->is_gone)
    {
      cookie->maker = 0;
      return false;
    }
  /* An answer that was under way may tell where it was before it made the socket. */
  if (!weir_owners_was_seen_since (&join->owners, cookie->maker, cookie->born))
    return false;
  cookie->maker = 0;
  inode = maker->in_netns;
  if (!weir_owners_was_there (maker->start_time, cookie->born) || inode == 0 ||
      weir_netns_is_unknown (inode) || is_taken (join, inode))
    return false;
  cookie->inode = inode;
  return true;
}

static int
compare_learned (const void *a, const void *b)
{
  const struct learned *x = a, *y = b;

  return (x->number > y->number) - (x->number < y->number);
}

/* Where a flow of that namespace has the same ends already, its socket was listed: unless that is
 * another one, it ends without any bytes, which are those of the flow that programs count.  What
 * else lists know of it the next one tells again.  Lists of /proc have no cookies. */
static void
rekey (struct weir_join *join, struct weir_flow *flow, uint32_t inode)
{
  struct weir_flow_key key = flow->key;
  struct weir_flow *listed;

  key.netns = inode;
  listed = weir_flow_table_find (&join->table, &key);
  if (listed != NULL)
    {
      /* Another connection's, then; better two rows than bytes that count twice. */
      if (weir_flow_get_bpf (listed) != NULL ||
          (!(listed->cookie & WEIR_LISTED_COOKIE) && listed->cookie != flow->cookie))
        return;
      weir_join_retire (join, listed);
      listed->bytes_source = WEIR_SOURCE_NONE;
    }
  weir_flow_table_rekey (&join->table, flow, &key);
  weir_flow_table_mark (&join->table, flow, WEIR_MARK_TOUCHED);
}

/* Of @n namespaces, in the order of their numbers. */
static void
rekey_all (struct weir_join *join, const struct learned *learned, size_t n)
{
  struct weir_flow *flow;

  /* Once for all of them, however many there are. */
  for (uint32_t slot = 0; (flow = weir_flow_table_next (&join->table, &slot)) != NULL;)
    {
      const struct learned wanted = { .number = flow->key.netns };
      const struct learned *found;

      if (!weir_netns_is_unknown (flow->key.netns) || flow->flags & WEIR_FLOW_IS_ENDED)
        continue;
      found = bsearch (&wanted, learned, n, sizeof learned[0], compare_learned);
      if (found != NULL)
        rekey (join, flow, found->inode);
    }
}

void
weir_join_learn_namespaces (struct weir_join *join)
{
  struct learned learned[WEIR_COOKIES_MAX];
  size_t n = 0;

  for (uint32_t i = 0; i < join->bpf.n_cookies; i++)
    {
      const uint32_t number = join->bpf.cookies[i].inode;

      if (learn (join, &join->bpf.cookies[i]))
        learned[n++] = (struct learned) { number, join->bpf.cookies[i].inode };
    }
  if (n == 0)
    return;
  qsort (learned, n, sizeof learned[0], compare_learned);
  rekey_all (join, learned, n);
}

struct weir_flow *
weir_join_adopt_listed (struct weir_join *join, const struct weir_flow_key *key,
                        const struct weir_socket_reading *reading)
{
  struct weir_flow_key elsewhere = *key;
  struct weir_cookie *found = NULL;
  struct learned learned;

  if (!weir_join_has_bpf (join) || key->protocol != IPPROTO_TCP || reading->inode == 0 ||
      weir_address_is_loopback (key->local) || is_taken (join, key->netns))
    return NULL;
  for (uint32_t i = 0; i < join->bpf.n_cookies; i++)
    {
      const struct weir_flow *flow;

      elsewhere.netns = join->bpf.cookies[i].inode;
      if (!weir_netns_is_unknown (elsewhere.netns))
        continue;
      flow = weir_flow_table_find (&join->table, &elsewhere);
      if (flow == NULL || !(flow->flags & WEIR_FLOW_HAS_UID) || flow->uid != reading->uid ||
          (!(reading->cookie & WEIR_LISTED_COOKIE) && flow->cookie != reading->cookie))
        continue;
      /* Two are alike: neither is certain. */
      if (found != NULL)
        return NULL;
      found = &join->bpf.cookies[i];
    }
  if (found == NULL)
    return NULL;
  learned = (struct learned) { found->inode, key->netns };
  found->inode = key->netns;
  found->maker = 0;
  rekey_all (join, &learned, 1);
  return weir_flow_table_find (&join->table, key);
}

void
weir_join_forget_namespace (struct weir_join *join, uint32_t inode)
{
  struct weir_join_bpf *bpf = &join->bpf;

  for (uint32_t i = 0; i < bpf->n_cookies; i++)
    {
      if (bpf->cookies[i].inode != inode || inode == join->own.inode)
        continue;
      bpf->cookies[i].inode = take_number (bpf);
      bpf->cookies[i].is_fixed = false;
      bpf->cookies[i].maker = 0;
    }
}
