/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What older kernels would refuse of the programs, though this one does not: the stack that a chain
 * of calls takes, and how much the verifier has to look at. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf-stage.h"

/* kernel/bpf/verifier.c of Linux 6.1, check_max_stack_depth(): the stack of each function is
 * rounded up to so many bytes, callbacks count as if they were called, and a chain may have no more
 * than that and no more functions than those. */
#define ROUNDED_TO 32
#define STACK_MAX  512
#define FRAMES_MAX 8

/* BPF_COMPLEXITY_LIMIT_INSNS is 1000000.  How many there are differs from kernel to kernel. */
#define VERIFIED_MAX 100000

#define FUNCTIONS_MAX 64
#define N_REGISTERS   11

struct function
{
  size_t begin, end;
  unsigned stack; /* bytes */
};

struct code
{
  const struct bpf_insn *all;
  size_t n;
  struct function functions[FUNCTIONS_MAX]; /* in the order of @begin */
  size_t n_functions;
};

static const char *object_file;

/* Where the instruction leads that calls a function or names a callback; 0: it does
 * neither. */
static size_t
get_target (const struct bpf_insn *all, size_t at)
{
  const struct bpf_insn *one = &all[at];
  const bool calls = one->code == (BPF_JMP | BPF_CALL) && one->src_reg == BPF_PSEUDO_CALL;
  const bool names = one->code == (BPF_LD | BPF_IMM | BPF_DW) && one->src_reg == BPF_PSEUDO_FUNC;

  return calls || names ? (size_t) ((gssize) at + one->imm + 1) : 0;
}

static bool
is_wide (const struct bpf_insn *one)
{
  return one->code == (BPF_LD | BPF_IMM | BPF_DW);
}

static int
compare_functions (const void *a, const void *b)
{
  const struct function *x = a, *y = b;

  return (x->begin > y->begin) - (x->begin < y->begin);
}

static void
add_function (struct code *code, size_t begin)
{
  for (size_t i = 0; i < code->n_functions; i++)
    if (code->functions[i].begin == begin)
      return;
  g_assert_cmpuint (code->n_functions, <, FUNCTIONS_MAX);
  g_assert_cmpuint (begin, <, code->n);
  code->functions[code->n_functions++].begin = begin;
}

/* How far below the frame pointer the function reaches.  An address on the stack is a copy
 * of the frame pointer that something was added to. */
static unsigned
measure_stack (const struct bpf_insn *all, const struct function *function)
{
  bool known[N_REGISTERS] = { [BPF_REG_10] = true };
  gint64 offset[N_REGISTERS] = { 0 }, lowest = 0;

  for (size_t at = function->begin; at < function->end; at++)
    {
      const struct bpf_insn *one = &all[at];
      const unsigned kind = BPF_CLASS (one->code);
      const unsigned base = kind == BPF_LDX ? one->src_reg : one->dst_reg;

      if ((kind == BPF_LDX || kind == BPF_STX || kind == BPF_ST) && known[base])
        lowest = MIN (lowest, offset[base] + one->off);
      if (one->code == (BPF_ALU64 | BPF_MOV | BPF_X))
        {
          known[one->dst_reg] = known[one->src_reg];
          offset[one->dst_reg] = offset[one->src_reg];
        }
      else if (one->code == (BPF_ALU64 | BPF_ADD | BPF_K) && known[one->dst_reg])
        {
          offset[one->dst_reg] += one->imm;
          lowest = MIN (lowest, offset[one->dst_reg]);
        }
      else if (kind == BPF_LDX || kind == BPF_ALU || kind == BPF_ALU64 || is_wide (one))
        known[one->dst_reg] = false;
      if (is_wide (one))
        at++;
    }
  return (unsigned) -lowest;
}

static void
find_functions (struct code *code)
{
  code->n_functions = 0;
  add_function (code, 0);
  for (size_t at = 0; at < code->n; at += is_wide (&code->all[at]) ? 2 : 1)
    if (get_target (code->all, at) != 0)
      add_function (code, get_target (code->all, at));
  qsort (code->functions, code->n_functions, sizeof code->functions[0], compare_functions);
  for (size_t i = 0; i < code->n_functions; i++)
    {
      struct function *one = &code->functions[i];

      one->end = i + 1 < code->n_functions ? one[1].begin : code->n;
      one->stack = measure_stack (code->all, one);
    }
}

static size_t
get_function (const struct code *code, size_t begin)
{
  size_t i = 0;

  while (code->functions[i].begin != begin)
    i++;
  return i;
}

/* The most stack that is in use from that function on; *@chain: how. */
static unsigned
find_worst (const struct code *code, size_t number, unsigned frames, GString *chain)
{
  const struct function *function = &code->functions[number];
  const unsigned own = (MAX (function->stack, 1) + ROUNDED_TO - 1) / ROUNDED_TO * ROUNDED_TO;
  g_autoptr (GString) worst_chain = g_string_new (NULL);
  unsigned worst = 0;

  g_assert_cmpuint (frames, <=, FRAMES_MAX);
  for (size_t at = function->begin; at < function->end; at += is_wide (&code->all[at]) ? 2 : 1)
    {
      const size_t target = get_target (code->all, at);
      g_autoptr (GString) below = g_string_new (NULL);
      unsigned used;

      if (target == 0)
        continue;
      used = find_worst (code, get_function (code, target), frames + 1, below);
      if (used > worst)
        {
          worst = used;
          g_string_assign (worst_chain, below->str);
        }
    }
  g_string_append_printf (chain, " > %u (of %zu instructions)%s", own,
                          function->end - function->begin, worst_chain->str);
  return own + worst;
}

static void
test_stack (void)
{
  struct bpf_object *object = bpf_object__open_file (object_file, NULL);
  struct bpf_program *program;
  unsigned n = 0;

  g_assert_nonnull (object);
  /* Functions are where they are called from only in what is loaded. */
  g_assert_cmpint (bpf_object__load (object), ==, 0);
  bpf_object__for_each_program (program, object)
  {
    g_autoptr (GString) chain = g_string_new (NULL);
    struct code code = { .all = bpf_program__insns (program),
                         .n = bpf_program__insn_cnt (program) };
    unsigned worst;

    find_functions (&code);
    worst = find_worst (&code, 0, 1, chain);
    g_test_message ("%s: %u%s", bpf_program__name (program), worst, chain->str);
    g_assert_cmpuint (worst, <=, STACK_MAX);
    n++;
  }
  g_assert_cmpuint (n, ==, 13);
  bpf_object__close (object);
}

static void
check_verified (int link)
{
  struct bpf_link_info info = { 0 };
  struct bpf_prog_info program = { 0 };
  uint32_t size = sizeof info, program_size = sizeof program;
  int fd;

  g_assert_cmpint (bpf_obj_get_info_by_fd (link, &info, &size), ==, 0);
  fd = bpf_prog_get_fd_by_id (info.prog_id);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (bpf_obj_get_info_by_fd (fd, &program, &program_size), ==, 0);
  close (fd);
  g_test_message ("%s: %u instructions looked at", program.name, program.verified_insns);
  g_assert_cmpuint (program.verified_insns, >, 0);
  g_assert_cmpuint (program.verified_insns, <, VERIFIED_MAX);
}

static void
test_complexity (void)
{
  struct weir_bpf_opened opened;
  char name[64];
  int group = stage_enter_group (name);

  weir_bpf_opened_init (&opened, WEIR_REASON_NONE, 0, "");
  g_assert_cmpint (weir_bpf_load (group, WEIR_BPF_FLOWS_MIN, 0, UINT64_MAX, &opened), ==, 0);
  for (uint32_t i = 0; i < opened.n_links; i++)
    check_verified (opened.links[i]);
  weir_bpf_close (&opened);
  stage_leave_group (group, name);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  object_file = argv[1];
  stage_isolate ();
  g_test_add_func ("/bpf/verifier/stack", test_stack);
  g_test_add_func ("/bpf/verifier/complexity", test_complexity);
  return g_test_run ();
}
