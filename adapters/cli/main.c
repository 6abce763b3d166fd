// main - finds the verb and runs it.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/usage.h"
#include "broker/base/crypto.h"
#include "broker/os/log.h"

static const struct sg_verb verbs[] = {
    {"check", sg_verb_check, "check a data file against its structure"},
    {"demo", sg_verb_demo,
     "a gate, three offices and four agencies on this machine"},
    {"log", sg_verb_log, "verify, show and fetch an evidence log"},
    {"policy", sg_verb_policy, "check, test and explain policies"},
    {"convert", sg_verb_convert, "write a data file in another format"},
    {"structure", sg_verb_structure, "import and show data structures"},
    {"init", sg_verb_init, "make a gate's home"},
    {"root", sg_verb_root, "make a root key, kept off the gate"},
    {"roster", sg_verb_roster, "make, sign and send rosters"},
    {"join", sg_verb_join, "make a participant's home and its request"},
    {"admit", sg_verb_admit, "put participants into the next roster"},
    {"revoke", sg_verb_revoke, "end a key at once"},
    {"flow", sg_verb_flow, "flows and their terms"},
    {"publish", sg_verb_publish, "sign and publish a release"},
    {"releases", sg_verb_releases, "the newest releases"},
    {"why", sg_verb_why, "how a transfer was decided, and why"},
    {"subscribe", sg_verb_subscribe, "ask for a flow, once and for all"},
    {"unsubscribe", sg_verb_unsubscribe, "end a subscription"},
    {"receive", sg_verb_receive, "take deliveries, verified whole"},
    {"verify", sg_verb_verify, "verify data offline"},
    {"consent", sg_verb_consent, "consent agreements and events"},
    {"context", sg_verb_context, "names for homes and gates"},
    {"testify", sg_verb_testify, "give a restored gate proof of what it lost"},
    {"status", sg_verb_status, "what the gate says of itself"},
};

static int
help(FILE *out)
{
    fprintf(out, "usage: statgate VERB ...\n\n");
    for (size_t i = 0; i < SG_COUNT_OF(verbs); i++)
        fprintf(out, "  %-11s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\nstatgate VERB --help says more; statgate(1) says all.\n");
    return out == stdout ? 0 : sg_err_exit(SG_ERR_USAGE);
}

// Whoever asks for help wants it as the answer: each verb prints its usage on
// standard error, which is standard output from here on.
static int
run(const struct sg_verb *verb, int argc, char **argv)
{
    bool asked = false;

    for (int i = 1; i < argc; i++)
        asked = asked || strcmp(argv[i], "--help") == 0;
    sg_cli_command(argc, argv, asked);
    if (!asked)
        return sg_cli_end(verb->run(argc, argv));
    if (dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
        return sg_cli_fail(SG_ERR_IO, NULL);
    int status = verb->run(argc, argv);
    return status == sg_err_exit(SG_ERR_USAGE) ? 0 : status;
}

static int
no_verb(const char *word)
{
    const char *near = NULL;

    for (size_t i = 0; i < SG_COUNT_OF(verbs) && near == NULL; i++)
        near = sg_usage_near(word, verbs[i].name) ? verbs[i].name : NULL;
    return sg_cli_end(sg_cli_say(
        SG_ERR_USAGE, "statgate help lists the verbs",
        near == NULL ? "there is no verb \"%s\""
                     : "there is no verb \"%s\"; did you mean \"%s\"?",
        word, near));
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
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            sg_cli_json();
    }
    sg_log_set_level(SG_LOG_OFF); // what there is to say is said in words
    if (sg_crypto_start() != SG_OK)
        return sg_cli_fail(SG_ERR_CRYPTO, NULL);
    for (size_t i = 0; i < SG_COUNT_OF(verbs); i++) {
        if (strcmp(argv[1], verbs[i].name) == 0)
            return run(&verbs[i], argc - 1, argv + 1);
    }
    return no_verb(argv[1]);
}
