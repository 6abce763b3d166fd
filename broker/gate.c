#include "broker/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/base/encode.h"
#include "broker/env_local.h"
#include "broker/loop.h"
#include "broker/os/clock.h"
#include "broker/os/conf.h"
#include "broker/os/file.h"
#include "broker/os/keyfile.h"
#include "broker/os/log.h"
#include "broker/os/process.h"
#include "broker/os/random.h"
#include "broker/recover.h"

enum { ROSTER_MAX = 4 * 1024 * 1024, JOB_TIMEOUT_MS = 20 * 60 * 1000 };

struct gate {
    char home[SG_OS_PATH], store[SG_OS_PATH], inspect[SG_OS_PATH];
    char id[SG_LIMIT_ID + 1];
    char endpoint[SG_WIRE_LANES][128];
    char on_damage[8]; // alarm or stop
    int lock;
    struct sg_os_keyfile transport, log, sign;
    struct sg_signer *log_signer, *sign_signer;
    struct sg_evidence *evidence;
    struct sg_core *core;
    struct sg_wire *wire;
    struct sg_workers *workers;
    struct sg_env_local *local;
    struct sg_env env; // of local; the loop keeps its address
    struct sg_loop *loop;
};

static enum sg_err
fail(enum sg_err err, const char *event, const char *what)
{
    sg_log(SG_LOG_ERROR, event, "what", what, "reason", sg_err_sentence(err),
           "cure", sg_err_cure(err), NULL);
    return err;
}

// ---- home ----------------------------------------------------------------------

static enum sg_err
read_conf(struct gate *gate)
{
    char path[SG_OS_PATH], line[24];
    struct sg_diag diag;
    const struct sg_os_conf_row rows[] = {
        {"gate", gate->id, sizeof gate->id, true},
        {"control", gate->endpoint[SG_WIRE_CONTROL],
         sizeof gate->endpoint[SG_WIRE_CONTROL], true},
        {"data", gate->endpoint[SG_WIRE_DATA],
         sizeof gate->endpoint[SG_WIRE_DATA], true},
        {"on_damage", gate->on_damage, sizeof gate->on_damage, false},
    };

    if (!sg_os_file_path(path, "%s/gate.conf", gate->home))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
    if (err == SG_OK && !sg_slice_is_id(sg_slice_text(gate->id))) {
        sg_diag_set(&diag, 0, 0, "gate \"%s\" is no id; ids are like KE_KNBS",
                    gate->id);
        err = SG_ERR_SYNTAX;
    }
    if (err == SG_OK && gate->on_damage[0] != '\0' &&
        strcmp(gate->on_damage, "alarm") != 0 &&
        strcmp(gate->on_damage, "stop") != 0) {
        sg_diag_set(&diag, 0, 0, "on_damage is alarm or stop");
        err = SG_ERR_SYNTAX;
    }
    if (err == SG_ERR_NOT_FOUND)
        sg_log(SG_LOG_ERROR, "gate.conf", "what", path, "reason",
               "this folder is no gate's home", "cure",
               "found the gate first: statgate init", NULL);
    else if (err != SG_OK)
        sg_log(SG_LOG_ERROR, "gate.conf", "what", path, "line",
               sg_log_number(diag.line, line), "reason", diag.text, NULL);
    return err;
}

static enum sg_err
read_keys(struct gate *gate)
{
    const struct {
        const char *use;
        struct sg_os_keyfile *key;
    } rows[] = {{"transport", &gate->transport},
                {"log", &gate->log},
                {"sign", &gate->sign}};
    char path[SG_OS_PATH];
    enum sg_err err;

    for (size_t i = 0; i < SG_COUNT_OF(rows); i++) {
        if (!sg_os_file_path(path, "%s/identity/%s.key", gate->home,
                             rows[i].use))
            return SG_ERR_FULL;
        err = sg_os_keyfile_read(path, rows[i].use, rows[i].key);
        if (err != SG_OK) {
            sg_log(SG_LOG_ERROR, "gate.key", "what", path, "reason",
                   sg_err_sentence(err), "cure",
                   "put the gate's own key back from its copy; with another "
                   "one it is another gate",
                   NULL);
            return err;
        }
    }
    if ((err = sg_crypto_signer_new(gate->log.secret, &gate->log_signer)) !=
        SG_OK)
        return err;
    return sg_crypto_signer_new(gate->sign.secret, &gate->sign_signer);
}

// The worker's program: beside us in a build tree, or where `install` puts it.
static enum sg_err
find_inspector(struct gate *gate)
{
    char folder[SG_OS_PATH];

    enum sg_err err = sg_os_process_folder(folder, sizeof folder);
    if (err != SG_OK)
        return err;
    if (sg_os_file_path(gate->inspect, "%s/statgate-inspect", folder) &&
        sg_os_file_exists(gate->inspect))
        return SG_OK;
    if (sg_os_file_path(gate->inspect, "%s/../libexec/statgate-inspect",
                        folder) &&
        sg_os_file_exists(gate->inspect))
        return SG_OK;
    return fail(SG_ERR_NOT_FOUND, "gate.inspector", "statgate-inspect");
}

static enum sg_err
open_home(struct gate *gate, const struct sg_gate_options *options)
{
    char path[SG_OS_PATH];
    enum sg_err err;

    if (!sg_os_file_path(gate->home, "%s", options->home) ||
        !sg_os_file_path(gate->store, "%s/store", options->home) ||
        !sg_os_file_path(path, "%s/lock", options->home))
        return SG_ERR_FULL;
    if ((err = sg_os_file_lock(path, &gate->lock)) != SG_OK)
        return fail(err, "gate.lock",
                    err == SG_ERR_EXISTS ? "another statgated runs here"
                                         : gate->home);
    if ((err = read_conf(gate)) != SG_OK || (err = read_keys(gate)) != SG_OK ||
        (err = find_inspector(gate)) != SG_OK)
        return err;
    return SG_OK;
}

// ---- recovery --------------------------------------------------------------------

// The number of an epoch. A clock before 1970 gives the next one.
static uint64_t
now_s(void)
{
    uint64_t now = sg_os_clock_wall_us() / 1000000;

    return now == 0 ? 1 : now;
}

static enum sg_err
recover(struct gate *gate, bool restored)
{
    struct sg_recover_options options = {.store = gate->store,
                                         .gate = gate->id,
                                         .log_key = gate->log_signer,
                                         .sign_key = gate->sign_signer,
                                         .stop_on_damage =
                                             gate->on_damage[0] == 's',
                                         .new_epoch = restored ? now_s() : 0};
    struct sg_recover recovered;
    struct sg_diag diag = {.line = 0};
    char number[24];

    enum sg_err err = sg_recover_open(&options, &recovered, &diag);
    gate->evidence = recovered.evidence;
    gate->core = recovered.core;
    if (err == SG_OK && restored)
        sg_log(SG_LOG_WARN, "gate.restored", "epoch",
               sg_log_number(sg_evidence_epoch(gate->evidence), number), NULL);
    return err == SG_OK ? SG_OK
                        : fail(err, "gate.recovery",
                               diag.text[0] != '\0' ? diag.text : gate->store);
}

// ---- doors -----------------------------------------------------------------------

static enum sg_err
open_doors(struct gate *gate, const struct sg_gate_options *options)
{
    struct sg_wire_options wire = {.rss_soft = SG_LIMIT_RSS_SOFT};
    struct sg_workers_options workers = {
        .program = gate->inspect,
        .running = options->workers == 0 ? 2 : options->workers,
        .timeout_ms = JOB_TIMEOUT_MS,
    };
    uint8_t token[16];

    for (int lane = 0; lane < SG_WIRE_LANES; lane++)
        wire.endpoint[lane] = gate->endpoint[lane];
    memcpy(wire.public_key, gate->transport.public_key, 32);
    memcpy(wire.secret_key, gate->transport.secret, 32);
    sg_os_random_fill(token, sizeof token);
    sg_encode_hex(token, sizeof token, wire.token);
    // The template is forked from while this process is still small and has no
    // socket to the world.
    enum sg_err err = sg_workers_open(&workers, &gate->workers);
    if (err != SG_OK)
        return fail(err, "gate.inspector", gate->inspect);
    err = sg_wire_open(&wire, &gate->wire);
    sg_crypto_wipe(&wire, sizeof wire);
    return err == SG_OK ? SG_OK
                        : fail(err, "gate.bind", gate->endpoint[SG_WIRE_DATA]);
}

// The very first start: roster 1 becomes entry 1.
static enum sg_err
found(struct gate *gate, const struct sg_env *env)
{
    char path[SG_OS_PATH];
    const char *what = "";
    uint8_t random[32], *bytes;
    size_t len;

    if (sg_core_has_roster(gate->core))
        return SG_OK;
    if (!sg_os_file_path(path, "%s/roster.first", gate->home))
        return SG_ERR_FULL;
    enum sg_err err = sg_os_file_read_own(path, ROSTER_MAX, &bytes, &len);
    if (err != SG_OK)
        return fail(err, "gate.roster", path);
    struct sg_output *output = sg_output_new(ROSTER_MAX * 4);
    if (output == NULL) {
        free(bytes);
        return SG_ERR_MEMORY;
    }
    sg_os_random_fill(random, sizeof random);
    err = sg_core_found(gate->core, sg_slice_of(bytes, len), random,
                        env->now(env->ctx), output, &what);
    if (err == SG_OK)
        err = env->append(env->ctx, output->entries, output->entries_count);
    sg_output_free(&output); // its effects come again with the resume
    free(bytes);
    return err == SG_OK ? SG_OK : fail(err, "gate.roster", what);
}

static enum sg_err
tell_endpoints(struct gate *gate)
{
    char path[SG_OS_PATH], text[400];
    int len = snprintf(text, sizeof text, "control %s\ndata %s\n",
                       sg_wire_endpoint(gate->wire, SG_WIRE_CONTROL),
                       sg_wire_endpoint(gate->wire, SG_WIRE_DATA));

    if (len < 0 || (size_t)len >= sizeof text ||
        !sg_os_file_path(path, "%s/endpoints", gate->home))
        return SG_ERR_FULL;
    return sg_os_file_replace(path, sg_slice_of(text, (size_t)len), false);
}

static enum sg_err
start_loop(struct gate *gate)
{
    char clock[SG_OS_PATH];
    struct sg_env_options options = {
        .evidence = gate->evidence,
        .clock_path = clock,
        .wire = gate->wire,
        .workers = gate->workers,
    };

    if (!sg_os_file_path(clock, "%s/clock", gate->home))
        return SG_ERR_FULL;
    enum sg_err err = sg_env_local_open(&options, &gate->local);
    if (err != SG_OK)
        return err;
    gate->env = sg_env_local_env(gate->local);
    // Genesis alone is no run that could be recovered from.
    const char *reason = sg_core_has_roster(gate->core) ? "recovery" : "start";
    if ((err = found(gate, &gate->env)) != SG_OK)
        return err;
    gate->loop = sg_loop_new(gate->core, &gate->env);
    if (gate->loop == NULL)
        return SG_ERR_MEMORY;
    sg_env_local_sweep(gate->local, gate->core);
    err = sg_loop_start(gate->loop, reason);
    if (err == SG_OK)
        err = tell_endpoints(gate);
    if (err == SG_OK)
        sg_log(SG_LOG_INFO, "gate.ready", "gate", gate->id, "control",
               sg_wire_endpoint(gate->wire, SG_WIRE_CONTROL), "data",
               sg_wire_endpoint(gate->wire, SG_WIRE_DATA), NULL);
    return err;
}

static enum sg_err
serve(struct gate *gate)
{
    char gate_text[24], worker_text[24];
    bool stopped = false;
    enum sg_err err = SG_OK;

    while (err == SG_OK && !stopped)
        err = sg_loop_turn(gate->loop, &stopped);
    struct sg_env_peaks peaks = sg_env_local_peaks(gate->local);
    sg_log(err == SG_OK ? SG_LOG_INFO : SG_LOG_ERROR, "gate.stopped", "reason",
           sg_err_sentence(err), "peak_bytes",
           sg_log_number(peaks.gate, gate_text), "worker_peak_bytes",
           sg_log_number(peaks.worker, worker_text), NULL);
    return err;
}

static void
close_gate(struct gate *gate)
{
    char path[SG_OS_PATH];

    if (gate->loop != NULL && sg_os_file_path(path, "%s/endpoints", gate->home))
        (void)!sg_os_file_remove(path);
    sg_loop_free(&gate->loop);
    sg_evidence_close(&gate->evidence); // its writer reads what the env holds
    sg_env_local_close(&gate->local);
    sg_wire_close(&gate->wire);
    sg_workers_close(&gate->workers);
    sg_core_free(&gate->core);
    sg_crypto_signer_free(&gate->log_signer);
    sg_crypto_signer_free(&gate->sign_signer);
    sg_os_file_close(&gate->lock);
    sg_crypto_wipe(gate, sizeof *gate);
    free(gate);
}

enum sg_err
sg_gate_run(const struct sg_gate_options *options)
{
    struct gate *gate = calloc(1, sizeof *gate);

    if (gate == NULL)
        return SG_ERR_MEMORY;
    gate->lock = -1;
    enum sg_err err = open_home(gate, options);
    if (err == SG_OK)
        err = recover(gate, options->restored);
    if (err == SG_OK)
        err = open_doors(gate, options);
    if (err == SG_OK)
        err = start_loop(gate);
    if (err == SG_OK)
        err = serve(gate);
    close_gate(gate);
    return err;
}
