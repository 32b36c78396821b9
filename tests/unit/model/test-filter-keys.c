/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every key with every operator that it has. */
#include <string.h>
#include <sys/stat.h>

#include "filter-samples.h"
#include "model-samples.h"
#include "weir-filter-keys.h"
#include "weir-interface-names.h"
#include "weir-namespace-names.h"

typedef struct
{
  const char *key;
  const char *yes[8]; /* terms that match the full sample ... */
  const char *no[8];  /* ... and that do not */
} Case;

static const Case cases[] = {
  { "app",
    { "app:0123", "app=\"Docker 0123456789ab\"", "app:docker*", "app=DOCKER", "app!=curl" },
    { "app:curl", "app=0123", "app!=docker", "app:d?cker?" } },
  { "comm",
    { "comm:ur", "comm=CURL", "comm:c*l", "comm!=cur", "comm:/^c.rl$/" },
    { "comm=cur", "comm:wget", "comm:c?l", "comm!=curl", "comm!=/c/", "comm:\"c*\"" } },
  { "pid",
    { "pid:1001", "pid=1001", "pid!=1002", "pid>1000", "pid<=1001", "pid:10*", "pid=/1$/" },
    { "pid=100", "pid!=1001", "pid>1001", "pid<1001", "pid:1?1" } },
  { "user",
    { "user:3999999999", "user=3999999999", "user!=root", "user:39*" },
    { "user=0", "user=399", "user!=3999999999" } },
  { "host",
    { "host:198.51.100.7", "host:51.100", "host=198.51.100.0/24", "host:198.*", "host!=192.0.2.1" },
    { "host:198.51.100.7:443", "host:192.0.2.1", "host:198.51.100.77", "host=198.51.100.",
      "host!=198.0.0.0/8" } },
  { "local",
    { "local:192.0.2.1", "local=192.0.2.1:40001", "local:40001", "local!=192.0.2.2",
      "local:[::ffff:192.0.2.1]" },
    { "local:198.51.100.7", "local=192.0.2", "local!=192.0.2.0/30", "local:192.0.2.0/32" } },
  { "remote",
    { "remote:198.51.100.7:443", "remote=198.51.100.7", "remote:*:443", "remote!=*:80",
      "remote:/:443$/" },
    { "remote:192.0.2.1", "remote!=198.51.100.7", "remote=*:80" } },
  { "ip",
    { "ip:192.0.2.1", "ip=198.51.100.0/24", "ip:192.0.2.0/31", "ip:198.51.*", "ip!=10.0.0.0/8",
      "ip:0.0.0.0/0", "ip:::ffff:192.0.2.1", "ip=/^192/" },
    { "ip:192.0.2.2", "ip:192.0.2.2/31", "ip!=192.0.2.1", "ip:::/0", "ip:2001:db8::/32",
      "ip:192.0.2.*5" } },
  { "port",
    { "port:443", "port=40001", "port!=80", "port>40000", "port<444", "port:4??", "port>=40001" },
    { "port:80", "port!=443", "port>40001", "port<443", "port=44" } },
  { "lport",
    { "lport:40001", "lport>1023", "lport!=443", "lport<=40001" },
    { "lport:443", "lport<1024", "lport!=40001" } },
  { "rport",
    { "rport:443", "rport<1024", "rport!=40001", "rport>=443" },
    { "rport:40001", "rport>443", "rport!=443" } },
  { "proto",
    { "proto:tcp", "proto=TCP", "proto=6", "proto!=udp", "proto:t*" },
    { "proto:udp", "proto:17", "proto!=tcp", "proto!=6" } },
  { "state",
    { "state:open", "state=Open", "state!=closed", "state:open*" },
    { "state:opening", "state:closed", "state!=open" } },
  { "dir", { "dir:out", "dir!=in", "dir=/^o/" }, { "dir:in", "dir:unknown", "dir!=out" } },
  { "iface",
    { "iface:test", "iface=test0", "iface=7", "iface!=lo", "iface:t*0" },
    { "iface=test", "iface:lo", "iface!=test0" } },
  { "container",
    { "container:docker", "container=0123456789ab", "container:*", "container!=web",
      "container:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" },
    { "container:podman", "container=docker", "container!=0123456789ab" } },
  { "unit",
    { "unit=system.slice", "unit:docker-", "unit:*.scope", "unit!=sshd.service" },
    { "unit=system", "unit:user.slice", "unit!=system.slice" } },
  { "netns", { "netns=web", "netns:w*", "netns!=db" }, { "netns=we", "netns:db", "netns!=web" } },
  { "zone",
    { "zone:5", "zone=0x5", "zone>0", "zone!=6" },
    { "zone:55", "zone=0", "zone>5", "zone!=5" } },
  { "mark",
    { "mark:0xca6c", "mark=51820", "mark=0XCA6C", "mark>=0xca6c", "mark!=0" },
    { "mark=0xca6d", "mark:0xca6", "mark<0xca6c", "mark!=51820" } },
  { "rate",
    { "rate=2000", "rate:2k", "rate>1Ki", "rate>1.9k", "rate<2Ki", "rate!=2001", "rate>=2k",
      "rate <= 2K" },
    { "rate>2k", "rate<2000", "rate!=2k", "rate=2Ki", "rate>1Mi", "rate>1G" } },
  { "rx", { "rx:1.5k", "rx>1k", "rx!=500", "rx<=1500" }, { "rx>1500", "rx<1.5k", "rx=2k" } },
  { "tx", { "tx:500", "tx<1k", "tx>0", "tx>=0.5k" }, { "tx>500", "tx<0.5k", "tx!=500" } },
  { "total",
    { "total=4k", "total>3.9k", "total<1M", "total!=4Ki", "total<1Gi", "total<1Ti" },
    { "total>4k", "total<4k", "total>1T", "total=4Ki" } },
  { "rtt",
    { "rtt=12.4", "rtt:12.4ms", "rtt>12ms", "rtt<1s", "rtt>0.012s", "rtt<1m", "rtt != 12" },
    { "rtt>12.4", "rtt<12.4ms", "rtt!=12.4ms", "rtt>1h" } },
  { "age",
    { "age:30", "age=30s", "age>29s", "age<1m", "age=0.5m", "age<1h", "age>=30000ms" },
    { "age>30", "age<30s", "age!=0.5m" } },
  { "src",
    { "src:sockdiag", "src=CONNTRACK", "src!=bpf", "src:conn*" },
    { "src:bpf", "src!=sockdiag", "src!=conntrack" } },
};

static void
set_interface (void)
{
  struct weir_interface_record interface = { .index = 7, .name = "test0" };

  weir_interface_names_set (&interface, 1);
}

static void
set_namespace (guint32 inode)
{
  struct weir_namespace_record namespace = { .inode = inode, .name = "web" };

  weir_namespace_names_set (&namespace, 1);
}

static WeirFlow *
make_flow (WeirFlowStore *store)
{
  WeirFlow *flow = filter_sample_full (store);
  struct stat status;

  /* Interfaces have names in our own namespace. */
  g_assert_cmpint (stat ("/proc/self/ns/net", &status), ==, 0);
  struct weir_flow_record record = *weir_flow_get_record (flow);
  record.netns = status.st_ino;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  set_interface ();
  set_namespace (status.st_ino);
  return flow;
}

static const Case *
find_case (const char *key)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    if (g_str_equal (cases[i].key, key))
      return &cases[i];
  g_error ("no case for the key %s", key);
}

static void
test_key (gconstpointer data)
{
  const WeirFilterKey *key = data;
  const Case *one = find_case (key->name);
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = make_flow (store);

  for (gsize i = 0; i < G_N_ELEMENTS (one->yes) && one->yes[i] != NULL; i++)
    {
      g_autofree char *inverse = g_strdup_printf ("not %s", one->yes[i]);
      g_assert_true (g_str_has_prefix (one->yes[i], key->name));
      g_assert_true (filter_sample_matches (one->yes[i], flow));
      g_assert_false (filter_sample_matches (inverse, flow));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (one->no) && one->no[i] != NULL; i++)
    {
      g_assert_true (g_str_has_prefix (one->no[i], key->name));
      g_assert_false (filter_sample_matches (one->no[i], flow));
    }
}

/* What nobody knows is neither equal nor unequal to anything. */
static void
test_absent (gconstpointer data)
{
  static const char *const known[] = { "local", "ip", "port", "lport", "proto" };
  const WeirFilterKey *key = data;
  const Case *one = find_case (key->name);
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = filter_sample_bare (store);

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if (g_str_equal (known[i], key->name))
      return;
  for (gsize i = 0; i < G_N_ELEMENTS (one->yes); i++)
    {
      if (one->yes[i] != NULL)
        g_assert_false (filter_sample_matches (one->yes[i], flow));
      if (one->no[i] != NULL)
        g_assert_false (filter_sample_matches (one->no[i], flow));
    }
}

static void
test_every_key_has_a_case (void)
{
  g_assert_cmpuint (weir_filter_n_keys, ==, G_N_ELEMENTS (cases));
  for (guint i = 0; i < weir_filter_n_keys; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (WeirFilter) filter = weir_filter_new (weir_filter_keys[i].example, &error);
      g_assert_no_error (error);
      g_assert_true (g_str_has_prefix (weir_filter_keys[i].example, weir_filter_keys[i].name));
      g_assert_nonnull (find_case (weir_filter_keys[i].name));
    }
}

static void
test_ipv6 (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = filter_sample_bare (store);

  g_assert_true (filter_sample_matches ("ip:2001:db8::/32", flow));
  g_assert_true (filter_sample_matches ("ip:2001:DB8:0:0::1", flow));
  g_assert_true (filter_sample_matches ("ip:[2001:db8::1]", flow));
  g_assert_true (filter_sample_matches ("local=[2001:db8::1]:53", flow));
  g_assert_true (filter_sample_matches ("local:2001:db8:", flow));
  g_assert_true (filter_sample_matches ("ip:::/0", flow));
  g_assert_true (filter_sample_matches ("ip:2001:db8::1/127", flow));
  g_assert_true (filter_sample_matches ("ip:2001:db8::/127", flow));
  g_assert_false (filter_sample_matches ("ip:2001:db8::2/127", flow));
  g_assert_false (filter_sample_matches ("ip:0.0.0.0/0", flow));
  g_assert_false (filter_sample_matches ("ip:2001:db9::/32", flow));
  g_assert_true (filter_sample_matches ("2001:db8::1", flow));
  g_assert_true (filter_sample_matches ("not app:*", flow));
}

static void
test_states (void)
{
  static const char *const states[] = { "unknown", "opening", "open", "closing", "closed" };
  static const char *const directions[] = { "unknown", "out", "in", "forwarded", "local" };

  for (guint i = 0; i < G_N_ELEMENTS (states); i++)
    {
      g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
      struct weir_flow_record record = sample_record (1);
      record.state = record.direction = i;
      sample_add (store, &record);
      sample_do_tick (store, 0);
      for (guint j = 0; j < G_N_ELEMENTS (states); j++)
        {
          g_autofree char *state = g_strdup_printf ("state:%s", states[j]);
          g_autofree char *direction = g_strdup_printf ("dir=%s", directions[j]);
          WeirFlow *flow = weir_flow_store_lookup (store, 1);
          g_assert_cmpint (filter_sample_matches (state, flow), ==, i == j);
          g_assert_cmpint (filter_sample_matches (direction, flow), ==, i == j);
        }
    }
}

/* Number 7 of another namespace is another interface. */
static void
test_foreign_interface (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  WeirFlow *flow = filter_sample_full (store);
  struct weir_flow_record record = *weir_flow_get_record (flow);

  record.netns = 1;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  set_interface ();
  g_assert_false (filter_sample_matches ("iface:test0", flow));
  g_assert_true (filter_sample_matches ("iface:7", flow));
}

static void
test_unknown_netns (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);

  record.netns = WEIR_NETNS_UNKNOWN_FIRST;
  sample_add (store, &record);
  sample_do_tick (store, 0);
  WeirFlow *flow = weir_flow_store_lookup (store, 1);
  g_assert_true (filter_sample_matches ("netns:another", flow));
  g_assert_false (filter_sample_matches ("netns=1073741824", flow));
}

/* A container in another is found by each of them, and by its pod. */
static void
test_nested_container (void)
{
  g_autoptr (WeirFlowStore) store = weir_flow_store_new ();
  struct weir_flow_record record = sample_record (1);

  g_strlcpy (record.cgroup,
             "/lxc.payload.web/kubepods/pod03f3f104-3215-44f2-9686-d4dd1f05a7ed/"
             "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
             sizeof record.cgroup);
  sample_add (store, &record);
  sample_do_tick (store, 0);
  WeirFlow *flow = weir_flow_store_lookup (store, 1);
  g_assert_true (filter_sample_matches ("container=web", flow));
  g_assert_true (filter_sample_matches ("container:kubernetes", flow));
  g_assert_true (filter_sample_matches ("container=\"LXC web/Kubernetes 0123456789ab\"", flow));
  g_assert_true (filter_sample_matches ("container:03f3f104-3215", flow));
  g_assert_false (filter_sample_matches ("container!=web", flow));
  g_assert_false (filter_sample_matches ("container:docker", flow));
}

/* The document lists exactly the keys of the table, in order. */
static void
test_document (void)
{
  g_autofree char *path =
      g_test_build_filename (G_TEST_DIST, "..", "..", "docs", "filter.md", NULL);
  g_autofree char *text = NULL;
  guint n = 0;

  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  const char *table = strstr (text, "| key |");
  g_assert_nonnull (table);
  g_auto (GStrv) lines = g_strsplit (table, "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    {
      if (!g_str_has_prefix (*line, "| `"))
        continue;
      g_assert_cmpuint (n, <, weir_filter_n_keys);
      const WeirFilterKey *key = &weir_filter_keys[n++];
      g_autofree char *expected =
          g_strdup_printf ("| `%s` | %s | `%s` |", key->name, key->description, key->example);
      g_assert_cmpstr (*line, ==, expected);
    }
  g_assert_cmpuint (n, ==, weir_filter_n_keys);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/filter-keys/every-key-has-a-case", test_every_key_has_a_case);
  for (guint i = 0; i < weir_filter_n_keys; i++)
    {
      g_autofree char *path = g_strconcat ("/filter-keys/key/", weir_filter_keys[i].name, NULL);
      g_autofree char *absent =
          g_strconcat ("/filter-keys/absent/", weir_filter_keys[i].name, NULL);
      g_test_add_data_func (path, &weir_filter_keys[i], test_key);
      g_test_add_data_func (absent, &weir_filter_keys[i], test_absent);
    }
  g_test_add_func ("/filter-keys/ipv6", test_ipv6);
  g_test_add_func ("/filter-keys/states", test_states);
  g_test_add_func ("/filter-keys/foreign-interface", test_foreign_interface);
  g_test_add_func ("/filter-keys/unknown-netns", test_unknown_netns);
  g_test_add_func ("/filter-keys/nested-container", test_nested_container);
  g_test_add_func ("/filter-keys/document", test_document);
  return g_test_run ();
}
