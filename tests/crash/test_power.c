// A thousand power cuts: nothing told is lost, nothing half-made counts.
//
// The workload tells (acks) the number of durable entries. Entry n with n % 7
// == 3 speaks of object n, which was stored before the entry was appended.
// SG_POWER_STATES sets the number of states (1,000).
#include "tests/crash/power_disk.h"

#include "broker/evidence/verify.h"

enum { TURNS = 60 };

static size_t
object_bytes(uint64_t n)
{
    return n % 2 == 0 ? 300 + n : 70000 + n;
}

static void
object_meta(uint64_t n, struct sg_payload_meta *meta)
{
    memset(meta, 0, sizeof(*meta));
    sg_bytes_store_u64(meta->id, n);
    sg_bytes_store_u64(meta->manifest_sha256, n);
    meta->attempt[0] = 1;
    meta->purpose = SG_SEAL_SPOOL;
    meta->bytes = object_bytes(n);
    meta->chunk_size = n % 2 == 0 ? 262144 : 32768;
    meta->chunks = (meta->bytes - 1) / meta->chunk_size + 1;
    meta->created_us = HOME_TIME;
}

static uint8_t
object_byte(uint64_t n, uint64_t at)
{
    return (uint8_t)(n * 7 + at * 13 + 1);
}

static bool
has_object(uint64_t seq)
{
    return seq % 7 == 3;
}

static uint8_t plain[80000];

static void
store_object(struct home *home, uint64_t n)
{
    struct sg_payload_meta meta;
    struct sg_evidence_event event;
    object_meta(n, &meta);
    for (uint64_t i = 0; i < meta.bytes; i++)
        plain[i] = object_byte(n, i);
    assert_int_equal(
        sg_evidence_new_key(home->ev, meta.manifest_sha256, meta.variant),
        SG_OK);
    assert_int_equal(sg_evidence_begin_object(home->ev, n, &meta), SG_OK);
    for (uint64_t i = 0; i < meta.chunks; i++) {
        uint64_t at = i * meta.chunk_size, left = meta.bytes - at;
        assert_int_equal(
            sg_evidence_put_chunk(
                home->ev, n, i,
                sg_slice_of(plain + at,
                            left < meta.chunk_size ? left : meta.chunk_size),
                NULL),
            SG_OK);
    }
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    home_await(home, SG_EVIDENCE_OBJECT, &event);
    assert_int_equal(event.err, SG_OK);
}

static void
workload(struct home *home, struct power *power)
{
    uint64_t random = 4711;
    assert_int_equal(sg_evidence_create(&home->options, HOME_TIME,
                                        SG_SLICE("genesis"), home->genesis),
                     SG_OK);
    power_ack(power, 1);
    home_open(home);
    for (unsigned turn = 0; turn < TURNS; turn++) {
        uint64_t draw;
        (void)home_random(&random, &draw, sizeof(draw));
        uint64_t next = sg_evidence_next_seq(home->ev);
        uint64_t count = 1 + draw % 12;
        for (uint64_t seq = next; seq < next + count; seq++) {
            if (has_object(seq))
                store_object(home, seq);
        }
        home_append_durable(home, count);
        power_ack(power, next + count);
        if (turn == 20 || turn == 40) { // a start in the middle
            home_close(home);
            home_open(home);
        }
    }
    home_close(home);
}

static void
no_fault(void *arg, const struct sg_verify_fault *fault)
{
    char *text = arg;
    if (text[0] == '\0')
        (void)snprintf(text, 400, "%s entry %llu byte %llu: %s", fault->file,
                       (unsigned long long)fault->sequence,
                       (unsigned long long)fault->at, fault->text);
}

static const char *
check_objects(struct home *home, uint64_t entries)
{
    static uint8_t out[262144];
    for (uint64_t seq = 1; seq < entries; seq++) {
        struct sg_payload_meta meta;
        if (!has_object(seq))
            continue;
        object_meta(seq, &meta);
        for (uint64_t i = 0; i < meta.chunks; i++) {
            size_t len;
            if (sg_evidence_open_chunk(home->ev, meta.id, i, out, sizeof(out),
                                       &len) != SG_OK)
                return "an entry speaks of an object that is not there";
            for (size_t at = 0; at < len; at += 97) {
                if (out[at] != object_byte(seq, i * meta.chunk_size + at))
                    return "an object has other bytes";
            }
        }
    }
    return NULL;
}

// NULL: all is well.
static const char *
check_state(struct home *home, uint64_t acked)
{
    static char text[400];
    uint8_t log_key[32];
    struct sg_verify_result result;
    char dir[SG_DISK_PATH];
    const char *dirs[1] = {dir};
    enum sg_err err = home_try_open(home);
    if (err == SG_ERR_NOT_FOUND && acked == 0)
        return NULL;
    if (err != SG_OK) {
        (void)snprintf(text, sizeof(text), "%s %.200s", sg_err_code(err),
                       home->diag.text);
        return text;
    }
    if (home->replayed < acked)
        return "entries that were told are lost";
    const char *why = check_objects(home, home->replayed);
    if (why != NULL)
        return why;
    home_append_durable(home, 3);
    home_close(home);
    home_file(home, "evidence", dir);
    text[0] = '\0';
    sg_crypto_signer_public(home->log_key, log_key);
    struct sg_verify_options options = {.dirs = dirs,
                                        .dirs_count = 1,
                                        .log_key = log_key,
                                        .arg = text,
                                        .fault = no_fault};
    err = sg_verify_log(&options, &result);
    if (err != SG_OK)
        return sg_err_code(err);
    return result.faults > 0 ? text : NULL;
}

static unsigned
cut_many(const struct home *live, const struct power *power, unsigned states,
         bool with_syncs)
{
    uint64_t random = with_syncs ? 1001 : 2002;
    unsigned bad = 0;
    for (unsigned i = 0; i < states; i++) {
        uint64_t draw;
        struct home home = *live;
        (void)home_random(&random, &draw, sizeof(draw));
        size_t cut = (size_t)(draw % (power->count + 1));
        (void)snprintf(home.path, sizeof(home.path), "%.200s-cut", live->path);
        home.options.home = home.path;
        home.options.disk = NULL;
        power_replay(power, cut, with_syncs, &random, home.path);
        const char *why = check_state(&home, power_acked(power, cut));
        if (why != NULL && with_syncs)
            print_message("state %u, cut before %zu of %zu: %s\n", i, cut,
                          power->count, why);
        bad += why != NULL;
        sg_evidence_close(&home.ev);
        assert_int_equal(sg_os_file_remove_tree(home.path), SG_OK);
        if (bad > 5 && with_syncs)
            break;
    }
    return bad;
}

static void
nothing_told_is_lost_in_a_power_cut(void **state)
{
    (void)state;
    static struct home home;
    static struct power power;
    const char *wanted = getenv("SG_POWER_STATES");
    unsigned states =
        wanted == NULL ? 1000 : (unsigned)strtoul(wanted, NULL, 10);
    // The syncs of a thousand starts cost nothing there.
    if (sg_disk_exists("/dev/shm"))
        assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    home_make(&home);
    power_start(&power, home.path);
    home.options.disk = &power.disk;
    workload(&home, &power);
    print_message("%zu operations, %u states\n", power.count, states);
    assert_int_equal(cut_many(&home, &power, states, true), 0);
    // Negative control: had the syncs done nothing, it must show.
    unsigned control = states / 5 + 1;
    unsigned bad = cut_many(&home, &power, control, false);
    print_message("negative control: %u of %u states show it\n", bad, control);
    assert_true(bad * 2 >= control);
    power_end(&power);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_told_is_lost_in_a_power_cut),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
