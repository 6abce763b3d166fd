// main - finds the verb and runs it.
#include <stdio.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "broker/base/crypto.h"

static const struct sg_verb verbs[] = {
    {"check", sg_verb_check, "check FILE [--structure URN] [--json|--ess]",
     "check a data file against its structure"},
    {"log", sg_verb_log, "log verify|show DIR...",
     "verify and show an evidence log, offline"},
    {"policy", sg_verb_policy, "policy check|test|explain ...",
     "check, test and explain policies"},
    {"structure", sg_verb_structure, "structure import|list|show ...",
     "import and show data structures"},
};

static int
help(FILE *out)
{
    fprintf(out, "usage: statgate VERB ...\n\n");
    for (size_t i = 0; i < SG_COUNT_OF(verbs); i++)
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\nstatgate VERB --help says more; statgate(1) says all.\n");
    return out == stdout ? 0 : sg_err_exit(SG_ERR_USAGE);
}

int
main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr);
    if (strcmp(argv[1], "help") == 0 || strcmp(argv[1], "--help") == 0)
        return help(stdout);
    if (strcmp(argv[1], "--version") == 0) {
        printf("statgate %s\n", SG_VERSION);
        return 0;
    }
    if (sg_crypto_start() != SG_OK)
        return sg_cli_fail(SG_ERR_CRYPTO, NULL);
    for (size_t i = 0; i < SG_COUNT_OF(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    }
    fprintf(stderr, "statgate: there is no verb \"%s\"; see statgate help\n",
            argv[1]);
    return sg_err_exit(SG_ERR_USAGE);
}
