/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ledger: where the bytes of the interfaces went, part by part, and why some are nobody's. */
#include "config.h"

#include <glib/gi18n.h>

#include "weir-cli-run.h"
#include "weir-cli-text.h"

/* Without --duration. */
#define TICKS 10

static gboolean
begin (WeirCliRun *run, GError **error)
{
  return TRUE;
}

static void
tick (WeirCliRun *run)
{
  /* What an engine measured before the one that was asked for is not wanted. */
  if (run->n_ticks == 1)
    weir_ledger_reset (weir_session_get_ledger (run->session));
  if (run->options->duration < 0 && run->n_ticks > TICKS)
    weir_cli_run_quit (run);
}

static void
add_row (GPtrArray *rows, const char *name, const WeirLedgerSum *sum, const char *share,
         const char *meaning)
{
  /* Exact, so that anybody can add them up. */
  g_autofree char *rx = g_strdup_printf ("%" G_GINT64_FORMAT, sum->rx);
  g_autofree char *tx = g_strdup_printf ("%" G_GINT64_FORMAT, sum->tx);
  char *const cells[] = {
    (char *) name, rx, tx, (char *) share, (char *) (meaning != NULL ? meaning : ""), NULL
  };

  g_ptr_array_add (rows, g_strdupv ((char **) cells));
}

static void
add_part (GPtrArray *rows, const WeirLedgerSheet *sheet, WeirLedgerPart part)
{
  const WeirLedgerSum *sum = &sheet->parts[part];
  WeirLedgerSum all = weir_ledger_sheet_get_sum (sheet);
  double total = (double) all.rx + all.tx;
  g_autofree char *share =
      total > 0 ? g_strdup_printf ("%.1f%%", 100 * ((double) sum->rx + sum->tx) / total)
                : g_strdup ("—");
  g_autofree char *reasons = weir_ledger_describe_reasons (sheet->reasons);
  const char *meaning = weir_ledger_part_get_meaning (part);

  /* The rest is always told; other parts when there is anything in them. */
  if (sum->rx == 0 && sum->tx == 0 && part != WEIR_LEDGER_REST)
    return;
  add_row (rows, weir_ledger_part_get_name (part), sum, share,
           part == WEIR_LEDGER_REST ? reasons : meaning);
}

static void
end (WeirCliRun *run)
{
  const WeirLedgerSheet *sheet = weir_ledger_get_total (weir_session_get_ledger (run->session));
  const WeirCliColumn columns[] = {
    { _ ("Part"), FALSE }, { _ ("Received"), TRUE },    { _ ("Sent"), TRUE },
    { _ ("Share"), TRUE }, { _ ("What It Is"), FALSE },
  };
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  WeirLedgerSum all = weir_ledger_sheet_get_sum (sheet);

  if (run->n_ticks < 2)
    {
      if (run->exit != WEIR_CLI_EXIT_DONE)
        return;
      run->exit = WEIR_CLI_EXIT_FAILED;
      weir_cli_complain (_ ("Nothing was measured yet: two readings are needed."));
      return;
    }
  for (guint part = 0; part < WEIR_N_LEDGER_PARTS; part++)
    add_part (rows, sheet, part);
  g_autofree char *span =
      /* TRANSLATORS: a number of seconds */
      g_strdup_printf (_ ("all interfaces and loopback, over %.1f s"), sheet->seconds);
  add_row (rows, _ ("Sum"), &all, "100%", span);
  weir_cli_run_write_table (run, columns, G_N_ELEMENTS (columns), rows, "");
}

const WeirCliCommand weir_cli_ledger = {
  .name = "ledger",
  .summary = N_ ("where the bytes of the interfaces went"),
  .takes = WEIR_CLI_TAKES_DURATION,
  .begin = begin,
  .tick = tick,
  .end = end,
};
