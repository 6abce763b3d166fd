// verb_testify - statgate testify: gives a restored gate proof of what it lost.
#include <stdio.h>
#include <stdlib.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/gate_call.h"
#include "adapters/cli/options.h"
#include "broker/os/file.h"

enum { RECEIPT_MAX = 16 * 1024 * 1024 };

static int
print_done(const struct sg_gate_call *call, uint64_t handed, uint64_t had)
{
    printf(call->json
               ? "{\"exit\":0,\"code\":\"ok\",\"handed_over\":%llu,"
                 "\"not_lost\":%llu}\n"
               : "%llu of entries that were lost: they are in the log of "
                 "the gate now; %llu of entries that it has\n",
           (unsigned long long)handed, (unsigned long long)had);
    return 0;
}

// false: said.
static bool
hand_over(struct sg_gate_call *call, const char *path, uint64_t *handed,
          uint64_t *had)
{
    uint8_t *bytes;
    size_t len;
    int one = 0;

    enum sg_err err = sg_os_file_read(path, RECEIPT_MAX, &bytes, &len);
    if (err != SG_OK) {
        call->result.exit = sg_cli_fail(err, path);
        return false;
    }
    call->typed = path;
    (void)statgate_testify_receipt(call->gate, bytes, len, &one, &call->result);
    free(bytes);
    *handed += call->result.exit == 0 && !one;
    *had += call->result.exit == 0 && one;
    if (call->result.exit != 0)
        (void)sg_gate_call_say(call);
    return call->result.exit == 0;
}

int
sg_verb_testify(int argc, char **argv)
{
    const char *home = NULL;
    struct sg_words files;
    struct sg_gate_call call = {0};
    const struct sg_option options[] = {{"--home", &home, NULL, NULL},
                                        {"--json", NULL, &call.json, NULL}};
    uint64_t handed = 0, had = 0;

    if (!sg_options_take(argc, argv, 1, options, SG_COUNT_OF(options),
                         &files)) {
        return sg_cli_usage(
            stderr,
            "usage: statgate testify [RECEIPT...] [--json] [--home DIR]\n\n"
            "After a gate was brought back from a copy: gives it the receipts of\n"
            "entries that it has lost, those named, or all that this home keeps of\n"
            "its releases. They become entries of its log.\n");
    }
    if (!sg_gate_call_open(&call, home, SG_GATE_CALL_MS))
        return call.result.exit;
    bool fine = true;
    for (size_t i = 0; i < files.count && fine; i++)
        fine = hand_over(&call, files.word[i], &handed, &had);
    if (files.count == 0 &&
        statgate_testify(call.gate, &handed, &call.result) != 0)
        fine = sg_gate_call_say(&call) == 0;
    if (fine)
        (void)print_done(&call, handed, had);
    sg_gate_call_close(&call);
    return call.result.exit;
}
