// main - statgate-inspect: the template that inspectors are forked from.
//
// Started by statgated alone. Does all set-up that is the same for every job
// (algorithms fetched, allocator warm), holds no data and no key, and forks one
// child for each packet that brings a socket. Ends when statgated does.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/base/crypto.h"
#include "broker/inspect/worker/sandbox.h"
#include "broker/inspect/worker/serve.h"
#include "broker/os/channel.h"
#include "broker/os/file.h"
#include "broker/os/log.h"
#include "broker/os/process.h"

static void
reap(void)
{
    int pid, status;
    char number[24];

    while (sg_os_process_reap(&pid, &status)) {
        if (status != 0)
            sg_log(SG_LOG_WARN, "inspect.ended_badly", "status",
                   sg_log_number((uint64_t)status, number), NULL);
    }
}

static int
run_template(int control)
{
    for (;;) {
        uint8_t word[1];
        int socket = -1, pid;
        struct sg_os_channel_fds fds = {&socket, 1, 0};
        size_t len;
        enum sg_err err =
            sg_os_channel_receive(control, word, sizeof word, &len, &fds);
        if (err != SG_OK || len == 0)
            return err == SG_OK ? 0 : 1; // statgated is gone
        reap();
        if (fds.count != 1)
            continue;
        if (sg_os_process_fork(&pid) == SG_OK && pid == 0)
            sg_serve_one(socket);
        sg_os_file_close(&socket);
    }
}

// Everything that the first use would otherwise allocate or ask the kernel for.
static enum sg_err
warm_up(void)
{
    uint8_t key[32] = {0}, hash[32], sealed[SG_TAG_LEN];
    uint8_t nonce[12] = {0};
    enum sg_err err = sg_crypto_start();

    if (err != SG_OK)
        return err;
    sg_crypto_sha256("", 0, hash);
    sg_crypto_hkdf(SG_SLICE("warm"), SG_SLICE("up"), SG_SLICE(""), hash);
    struct sg_aead *aead = sg_crypto_aead_new(key);
    if (aead == NULL)
        return SG_ERR_MEMORY;
    err = sg_crypto_seal(aead, nonce, SG_SLICE(""), (struct sg_slice){NULL, 0},
                         sealed);
    sg_crypto_aead_free(&aead);
    return err;
}

int
main(int argc, char **argv)
{
    uint64_t control;

    if (argc != 3 || strcmp(argv[1], "--template") != 0 ||
        !sg_slice_u64(sg_slice_text(argv[2]), &control) || control > 1024) {
        fputs("statgate-inspect is started by statgated; see statgated(8)\n",
              stderr);
        return sg_err_exit(SG_ERR_USAGE);
    }
    sg_os_process_no_core();
    if (warm_up() != SG_OK)
        return 1;
    sg_sandbox_guard_memory();
    return run_template((int)control);
}
