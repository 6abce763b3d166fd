// What lies on the gate's disk and in receipts tells no figure: every value of
// a cell is tried against every hash that is there (S09, S24), and a key that
// was destroyed is in no file (S34).
#include "tests/e2e/world.h"

#include <dirent.h>
#include <sys/stat.h>

#include "schemas/evidence.pb-c.h"
#include "schemas/proof/entry.h"
#include "schemas/proof/receipt.h"

enum { VALUES = 1001, HASHES_MAX = 1 << 20, FILE_MAX = 256 << 20 };

#define HEADER                                                                 \
    "DATAFLOW,FREQ,REPORTING_TYPE,SERIES,REF_AREA,SEX,AGE,URBANISATION,"       \
    "INCOME_WEALTH_QUANTILE,EDUCATION_LEV,OCCUPATION,CUST_BREAKDOWN,"          \
    "COMPOSITE_BREAKDOWN,DISABILITY_STATUS,ACTIVITY,PRODUCT,TIME_PERIOD,"      \
    "OBS_VALUE,OBS_STATUS,UNIT_MULT,UNIT_MEASURE,NATURE\n"

// Ten rows of which all but one figure is known: 0.0 to 100.0.
static struct sg_slice
ten_rows(unsigned tenths, char *text, size_t cap)
{
    static const char *const known[] = {"30.1", "31.2", "29.9", "28.0", "27.7",
                                        NULL,   "26.1", "25.0", "24.4", "23.9"};
    size_t at = (size_t)snprintf(text, cap, "%s", HEADER);
    for (unsigned i = 0; i < SG_COUNT_OF(known); i++) {
        char value[16];
        (void)snprintf(value, sizeof value, "%u.%u", tenths / 10, tenths % 10);
        at += (size_t)snprintf(
            text + at, cap - at,
            "STATGATE:DF_SDG(1.0),A,N,EG_ACS_ELEC,404,_T,_T,_T,_T,_T,_T,_T,_T,"
            "_T,_T,_T,%u,%s,A,0,PT,C\n",
            2010 + i, known[i] == NULL ? value : known[i]);
    }
    return sg_slice_of(text, at);
}

// ---- everything that lies there --------------------------------------------------

struct seen {
    uint8_t *bytes;
    size_t len;
};

// All files below path, one after the other.
static void
gather(const char *path, struct seen *seen)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    if (dir == NULL)
        return;
    while ((entry = readdir(dir)) != NULL) {
        char name[SG_OS_PATH];
        struct stat st;
        uint8_t *bytes;
        size_t len;
        if (entry->d_name[0] == '.' ||
            !sg_os_file_path(name, "%s/%s", path, entry->d_name) ||
            lstat(name, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode)) {
            gather(name, seen);
        } else if (S_ISREG(st.st_mode) &&
                   sg_os_file_read(name, FILE_MAX, &bytes, &len) == SG_OK) {
            while (len > 0 && bytes[len - 1] == 0)
                len--; // what was zeroed ahead
            seen->bytes = realloc(seen->bytes, seen->len + len + 1);
            assert_non_null(seen->bytes);
            memcpy(seen->bytes + seen->len, bytes, len);
            seen->len += len;
            free(bytes);
        }
    }
    (void)closedir(dir);
}

static bool
holds(const struct seen *seen, const void *what, size_t len)
{
    const uint8_t *at = seen->bytes;
    size_t left = seen->len;
    while (left >= len) {
        const uint8_t *found =
            memchr(at, *(const uint8_t *)what, left - len + 1);
        if (found == NULL)
            return false;
        if (memcmp(found, what, len) == 0)
            return true;
        left -= (size_t)(found + 1 - at);
        at = found + 1;
    }
    return false;
}

// 27 bits of the first and of the second four bytes of every hash that could
// begin anywhere.
static uint8_t bits[2][1u << 24];

static uint32_t
place_of(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, 4);
    return word & 0x7ffffff;
}

static void
index_all(const struct seen *seen)
{
    memset(bits, 0, sizeof bits);
    for (size_t i = 0; i + 32 <= seen->len; i++)
        for (int k = 0; k < 2; k++) {
            uint32_t at = place_of(seen->bytes + i + 4 * k);
            bits[k][at >> 3] |= (uint8_t)(1u << (at & 7));
        }
}

static bool
is_there(const struct seen *seen, const uint8_t hash[32])
{
    for (int k = 0; k < 2; k++) {
        uint32_t at = place_of(hash + 4 * k);
        if ((bits[k][at >> 3] >> (at & 7) & 1) == 0)
            return false;
    }
    return holds(seen, hash, 32);
}

// What a guesser would try for one value: the file, the row, the cell, each
// alone and behind the tags of content-root.md.
static unsigned
hits(const struct seen *seen, unsigned tenths)
{
    static char text[8192];
    struct sg_slice file = ten_rows(tenths, text, sizeof text);
    const char *row = text, *end;
    unsigned found = 0;
    uint8_t hash[32];
    for (int line = 0; line < 6; line++)
        row = strchr(row, '\n') + 1;
    end = strchr(row, '\n');
    char value[16];
    (void)snprintf(value, sizeof value, "%u.%u", tenths / 10, tenths % 10);
    const struct sg_slice tries[] = {
        file, sg_slice_of(row, (size_t)(end - row)),
        sg_slice_of(row, (size_t)(end + 1 - row)), sg_slice_text(value)};
    for (size_t i = 0; i < SG_COUNT_OF(tries); i++)
        for (unsigned tag = 0; tag <= 0x40; tag++) {
            uint8_t byte = (uint8_t)tag;
            struct sg_slice parts[] = {sg_slice_of(&byte, tag == 0x40 ? 0 : 1),
                                       tries[i]};
            sg_crypto_sha256v(parts, 2, hash);
            found += is_there(seen, hash);
        }
    return found;
}

static void
no_value_of_a_cell_can_be_tried_against_what_is_kept(void **state)
{
    struct world *world = *state;
    static char text[8192];
    struct sg_slice file = ten_rows(173, text, sizeof text);
    struct seen seen = {NULL, 0};
    unsigned found = 0;
    uint8_t hash[32];
    world_write(world, "ten.csv", file);
    world_do(world, "kenya", "publish", world_path(world, "ten.csv"), "--flow",
             "KE_SDG", "--receipt", world_path(world, "receipt"), NULL);
    world_do(world, "norway", "receive", "KE_SDG", "--once", "--wait", "20",
             "--out", world_path(world, "norway/got"), NULL);
    // A refused one too: its report and its entry.
    char *wrong = strstr(text, ",404,");
    memcpy(wrong, ",999,", 5);
    world_write(world, "wrong.csv", file);
    assert_int_equal(world_verb(world, "kenya", "publish",
                                world_path(world, "wrong.csv"), "--flow",
                                "KE_SDG", NULL),
                     65);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    gather(world_path(world, "HUB/store"), &seen);
    gather(world_path(world, "requests"), &seen);
    uint8_t *receipt;
    size_t len;
    assert_int_equal(
        sg_os_file_read(world_path(world, "receipt"), 1 << 20, &receipt, &len),
        SG_OK);
    seen.bytes = realloc(seen.bytes, seen.len + len);
    assert_non_null(seen.bytes);
    memcpy(seen.bytes + seen.len, receipt, len);
    seen.len += len;
    free(receipt);
    index_all(&seen);
    for (unsigned value = 0; value < VALUES; value++)
        found += hits(&seen, value);
    assert_int_equal(found, 0);
    assert_false(holds(&seen, "17.3,A,0", 8)); // nor the figure itself
    sg_crypto_sha256(seen.bytes, 64, hash);
    memcpy(seen.bytes + seen.len / 2, hash, 32);
    index_all(&seen);
    assert_true(is_there(&seen, hash)); // a planted one is found
    free(seen.bytes);
    world_start(world);
    world_serves(world);
}

// ---- neighbours (S24) --------------------------------------------------------------

static struct sg_slice
entry_at(struct sg_slice log, uint64_t sequence)
{
    struct sg_slice entry;
    struct sg_entry decoded;
    size_t size;
    log = sg_slice_of(log.ptr + SG_ENTRY_SEGMENT_LEN,
                      log.len - SG_ENTRY_SEGMENT_LEN);
    while (sg_entry_scan(log, &entry, &size) == SG_ENTRY_SCAN_VALID) {
        assert_int_equal(sg_entry_decode(entry, &decoded), SG_OK);
        if (decoded.sequence == sequence)
            return entry;
        log = sg_slice_of(log.ptr + size, log.len - size);
    }
    fail_msg("no entry %llu", (unsigned long long)sequence);
    return log;
}

// Who knows all of his neighbour's entry but its blind bytes cannot tell that
// the hash in his own receipt is of it.
static void
a_receipt_tells_nothing_about_the_entry_beside_it(void **state)
{
    struct world *world = *state;
    struct sg_receipt receipt;
    struct sg_entry neighbour;
    static uint8_t room[65536];
    uint8_t *log, *bytes, leaf[32];
    size_t log_len, len;
    assert_int_equal(
        sg_os_file_read(world_path(world, "HUB/store/evidence/%016x.log", 0),
                        SG_LIMIT_SEGMENT, &log, &log_len),
        SG_OK);
    assert_int_equal(
        sg_os_file_read(world_path(world, "receipt"), 1 << 20, &bytes, &len),
        SG_OK);
    assert_int_equal(sg_receipt_decode(sg_slice_of(bytes, len), &receipt),
                     SG_OK);
    struct sg_slice entry =
        entry_at(sg_slice_of(log, log_len), receipt.index ^ 1);
    sg_entry_leaf(entry, leaf);
    assert_true(receipt.path_len > 0);
    assert_memory_equal(receipt.path[0], leaf, 32); // it is that hash
    assert_int_equal(sg_entry_decode(entry, &neighbour), SG_OK);
    memset(neighbour.blind, 0, sizeof neighbour.blind);
    for (int i = 0; i < 20000; i++) {
        struct sg_writer w = sg_writer_on(room, sizeof room);
        sg_entry_encode(&neighbour, &w);
        sg_entry_leaf(sg_writer_slice(&w), leaf);
        assert_memory_not_equal(receipt.path[0], leaf, 32);
        sg_os_random_fill(neighbour.blind, sizeof neighbour.blind);
    }
    free(bytes);
    free(log);
}

// ---- destroyed keys (S34) ----------------------------------------------------------

static bool
wrap_key(struct world *world, uint8_t key[32])
{
    char **names;
    size_t count;
    bool found = false;
    assert_int_equal(
        sg_os_file_list(world_path(world, "HUB/store/keys"), &names, &count),
        SG_OK);
    for (size_t i = 0; i < count; i++) {
        uint8_t *bytes;
        size_t len;
        if (strncmp(names[i], "wrap-", 5) != 0 ||
            sg_os_file_read(world_path(world, "HUB/store/keys/%s", names[i]),
                            1 << 20, &bytes, &len) != SG_OK)
            continue;
        assert_true(len >= 48);
        memcpy(key, bytes + 16, 32);
        found = true;
        free(bytes);
    }
    free(names);
    return found;
}

static void
a_destroyed_key_is_in_no_file_of_the_gate(void **state)
{
    struct world *world = *state;
    static char text[8192];
    uint8_t before[32], after[32];
    struct seen all = {NULL, 0}, keys = {NULL, 0};
    world_flow(world, "kenya", "KE_SHORT",
               "licence cc_by\nclassification public\ndata_kind aggregate\n"
               "unit person\nidentifiability anonymous\n"
               "lawful_basis statistics_law\nonward allowed\n"
               "purposes official_statistics sdg_reporting\ncommit row\n"
               "retention_days 1\n");
    world_write(world, "ten.csv", ten_rows(500, text, sizeof text));
    struct statgate *kenya = world_connect(world, "kenya");
    struct world_offer offer;
    world_offer(world, kenya, "KE_SHORT", world_path(world, "ten.csv"), &offer);
    assert_string_equal(world_publish(world, kenya, &offer), "");
    statgate_close(&kenya);
    assert_true(wrap_key(world, before));
    gather(world_path(world, "HUB/store/keys"), &keys);
    assert_true(holds(&keys, world->manifest, 32));
    assert_true(holds(&keys, before, 32));
    world->faults->passed_us += 3 * 24 * 3600 * 1000000ll;
    for (int i = 0; i < 500; i++) {
        if (wrap_key(world, after) && memcmp(before, after, 32) != 0 &&
            world_log(world, " destroyed ", "retention") == 1)
            break;
        (void)zmq_poll(NULL, 0, 20);
    }
    assert_int_equal(world_log(world, " destroyed ", "retention"), 1);
    assert_int_equal(raw_gate_end(&world->gate, false), 0);
    gather(world_path(world, "HUB/store"), &all);
    assert_false(holds(&all, before, 32));
    keys.len = 0;
    gather(world_path(world, "HUB/store/keys"), &keys);
    assert_false(holds(&keys, world->manifest, 32));
    assert_true(holds(&all, world->manifest, 32)); // the log says that it was
    free(all.bytes);
    free(keys.bytes);
    world_start(world);
    world_serves(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_of_a_cell_can_be_tried_against_what_is_kept),
        cmocka_unit_test(a_receipt_tells_nothing_about_the_entry_beside_it),
        cmocka_unit_test(a_destroyed_key_is_in_no_file_of_the_gate),
    };
    return cmocka_run_group_tests(tests, world_setup, world_teardown);
}
