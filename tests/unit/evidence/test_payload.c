// Objects, keys, secrets, destruction.
#include "tests/unit/evidence/home.h"

#include <dirent.h>
#include <unistd.h>

#include "broker/evidence/payload_write.h"

struct object {
    struct sg_payload_meta meta;
    uint8_t *plain;
};

static void
object_make(struct object *object, uint8_t n, uint64_t bytes,
            uint32_t chunk_size)
{
    memset(object, 0, sizeof(*object));
    memset(object->meta.id, n, 16);
    memset(object->meta.manifest_sha256, n ^ 0x55, 32);
    memset(object->meta.attempt, n ^ 0x77, 16);
    object->meta.purpose = SG_SEAL_SPOOL;
    object->meta.chunk_size = chunk_size;
    object->meta.bytes = bytes;
    object->meta.chunks = (bytes - 1) / chunk_size + 1;
    object->meta.created_us = HOME_TIME;
    object->plain = malloc(bytes);
    assert_non_null(object->plain);
    for (uint64_t i = 0; i < bytes; i++)
        object->plain[i] = (uint8_t)(i * 31 + n);
    memcpy(object->plain, "CANARY", bytes < 6 ? bytes : 6);
}

static void
object_store(struct home *home, struct object *object, uint64_t token)
{
    struct sg_evidence_event event;
    const struct sg_payload_meta *meta = &object->meta;
    if (!sg_keys_has(sg_evidence_keys(home->ev), meta->manifest_sha256,
                     meta->variant))
        assert_int_equal(
            sg_evidence_new_key(home->ev, meta->manifest_sha256, meta->variant),
            SG_OK);
    assert_int_equal(sg_evidence_begin_object(home->ev, token, meta), SG_OK);
    for (uint64_t i = 0; i < meta->chunks; i++) {
        uint64_t at = i * meta->chunk_size;
        uint64_t left = meta->bytes - at;
        size_t len = left < meta->chunk_size ? left : meta->chunk_size;
        assert_int_equal(
            sg_evidence_put_chunk(home->ev, token, i,
                                  sg_slice_of(object->plain + at, len), object),
            SG_OK);
    }
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    for (uint64_t i = 0; i < meta->chunks; i++) {
        home_await(home, SG_EVIDENCE_CHUNK, &event);
        assert_int_equal(event.err, SG_OK);
        assert_int_equal(event.index, i);
        assert_int_equal(event.token, token);
        assert_ptr_equal(event.buffer, object);
    }
    home_await(home, SG_EVIDENCE_OBJECT, &event);
    assert_int_equal(event.err, SG_OK);
    assert_int_equal(event.token, token);
    object->meta = event.meta;
}

static enum sg_err
object_check(struct home *home, const struct object *object)
{
    static uint8_t out[256 * 1024];
    const struct sg_payload_meta *meta = &object->meta;
    for (uint64_t i = 0; i < meta->chunks; i++) {
        size_t len;
        enum sg_err err = sg_evidence_open_chunk(home->ev, meta->id, i, out,
                                                 sizeof(out), &len);
        if (err != SG_OK)
            return err;
        if (memcmp(out, object->plain + i * meta->chunk_size, len) != 0)
            return SG_ERR_CONTENT;
    }
    return SG_OK;
}

static void
objects_of_any_size_come_back_as_they_went_in(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {1,     100,    65520,  65521,
                                     65536, 262144, 262145, 1000000};
    struct home home;
    struct object objects[SG_COUNT_OF(sizes)];
    home_create(&home);
    home_open(&home);
    for (uint8_t i = 0; i < SG_COUNT_OF(sizes); i++) {
        object_make(&objects[i], i + 1, sizes[i], 262144);
        object_store(&home, &objects[i], i + 1);
        assert_int_equal(object_check(&home, &objects[i]), SG_OK);
    }
    home_close(&home);
    home_open(&home);
    assert_int_equal(sg_payload_count(sg_evidence_payload(home.ev)),
                     SG_COUNT_OF(sizes));
    for (size_t i = 0; i < SG_COUNT_OF(sizes); i++) {
        struct sg_payload_meta meta;
        assert_int_equal(object_check(&home, &objects[i]), SG_OK);
        assert_int_equal(sg_payload_find(sg_evidence_payload(home.ev),
                                         objects[i].meta.id, &meta),
                         SG_OK);
        assert_memory_equal(&meta, &objects[i].meta, sizeof(meta));
        free(objects[i].plain);
    }
    home_remove(&home);
}

static void
a_chunk_number_is_written_once_an_attempt(void **state)
{
    (void)state;
    struct home home;
    struct object object;
    home_create(&home);
    home_open(&home);
    object_make(&object, 1, 700000, 262144);
    struct sg_slice chunk = sg_slice_of(object.plain, 262144);
    assert_int_equal(sg_evidence_begin_object(home.ev, 5, &object.meta),
                     SG_ERR_NOT_FOUND); // no key yet
    assert_int_equal(sg_evidence_new_key(home.ev, object.meta.manifest_sha256,
                                         object.meta.variant),
                     SG_OK);
    assert_int_equal(sg_evidence_new_key(home.ev, object.meta.manifest_sha256,
                                         object.meta.variant),
                     SG_ERR_EXISTS);
    assert_int_equal(sg_evidence_begin_object(home.ev, 5, &object.meta), SG_OK);
    assert_int_equal(sg_evidence_begin_object(home.ev, 5, &object.meta),
                     SG_ERR_EXISTS);
    assert_int_equal(sg_evidence_put_chunk(home.ev, 5, 1, chunk, NULL),
                     SG_ERR_CHUNK_ORDER);
    assert_int_equal(sg_evidence_put_chunk(home.ev, 5, 0, chunk, NULL), SG_OK);
    assert_int_equal(sg_evidence_put_chunk(home.ev, 5, 0, chunk, NULL),
                     SG_ERR_CHUNK_CHANGED);
    chunk.len--;
    assert_int_equal(sg_evidence_put_chunk(home.ev, 5, 1, chunk, NULL),
                     SG_ERR_FORMAT);
    assert_int_equal(sg_evidence_drop_object(home.ev, 5), SG_OK);
    assert_int_equal(sg_evidence_drop_object(home.ev, 5), SG_OK);
    home_append_durable(&home, 1);
    home_close(&home);
    home_open(&home);
    assert_int_equal(sg_payload_count(sg_evidence_payload(home.ev)), 0);
    free(object.plain);
    home_remove(&home);
}

// A worker writes sealed chunks into an unnamed file; the gate takes it over.
static int
sealed_file(struct home *home, const struct object *object)
{
    const struct sg_payload_meta *meta = &object->meta;
    struct sg_release_request request = {SG_RELEASE_JOB, meta->manifest_sha256,
                                         meta->variant, 0};
    static uint8_t sealed[262144 + 16];
    struct sg_seal seal;
    uint8_t key[32];
    int fd;
    assert_int_equal(sg_release_key(home->ev, &request, key), SG_OK);
    assert_int_equal(sg_seal_begin(&seal, key, meta->manifest_sha256,
                                   meta->attempt, SG_SEAL_SPOOL),
                     SG_OK);
    assert_int_equal(
        sg_payload_tmpfile(sg_evidence_payload(home->ev), HOME_TIME, &fd),
        SG_OK);
    uint64_t at = 0;
    for (uint64_t i = 0; i < meta->chunks; i++) {
        uint64_t from = i * meta->chunk_size, left = meta->bytes - from;
        size_t len = left < meta->chunk_size ? left : meta->chunk_size;
        assert_int_equal(sg_seal_chunk(&seal, i, i + 1 == meta->chunks,
                                       sg_slice_of(object->plain + from, len),
                                       sealed),
                         SG_OK);
        assert_int_equal(sg_disk_real.write(NULL, fd, at, sealed, len + 16),
                         SG_OK);
        at += len + 16;
    }
    sg_seal_end(&seal);
    return fd;
}

static void
a_workers_output_is_adopted_and_hashed_here(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {500, 600000};
    struct home home;
    struct sg_evidence_event event;
    home_create(&home);
    home_open(&home);
    for (uint8_t i = 0; i < SG_COUNT_OF(sizes); i++) {
        struct object adopted, stored;
        object_make(&adopted, i + 1, sizes[i], 262144);
        assert_int_equal(sg_evidence_new_key(home.ev,
                                             adopted.meta.manifest_sha256,
                                             adopted.meta.variant),
                         SG_OK);
        int fd = sealed_file(&home, &adopted);
        assert_int_equal(sg_evidence_adopt(home.ev, i, &adopted.meta, fd),
                         SG_OK);
        assert_int_equal(sg_evidence_flush(home.ev), SG_OK);
        home_await(&home, SG_EVIDENCE_OBJECT, &event);
        assert_int_equal(event.err, SG_OK);
        assert_int_equal(lseek(fd, 0, SEEK_CUR), -1); // closed
        adopted.meta = event.meta;
        assert_int_equal(object_check(&home, &adopted), SG_OK);
        // The same bytes stored chunk by chunk give the same chunk root.
        object_make(&stored, i + 1, sizes[i], 262144);
        memset(stored.meta.id, 0xe0 + i, 16);
        object_store(&home, &stored, 100);
        assert_memory_equal(stored.meta.chunk_root, adopted.meta.chunk_root,
                            32);
        // One byte less than it says: refused, nothing named.
        struct object wrong = stored;
        wrong.meta.bytes--;
        memset(wrong.meta.id, 0xf0 + i, 16);
        fd = sealed_file(&home, &stored);
        assert_int_equal(sg_evidence_adopt(home.ev, 7, &wrong.meta, fd), SG_OK);
        assert_int_equal(sg_evidence_flush(home.ev), SG_OK);
        home_await(&home, SG_EVIDENCE_OBJECT, &event);
        assert_int_equal(event.err, SG_ERR_CORRUPT);
        free(adopted.plain);
        free(stored.plain);
    }
    home_close(&home);
    home_open(&home);
    assert_int_equal(sg_payload_count(sg_evidence_payload(home.ev)), 4);
    home_remove(&home);
}

static void
removed_objects_stay_removed(void **state)
{
    (void)state;
    struct home home;
    struct object small, large;
    uint8_t id[16];
    uint32_t at = 0;
    home_create(&home);
    home_open(&home);
    object_make(&small, 1, 1000, 262144);
    object_make(&large, 2, 300000, 262144);
    object_store(&home, &small, 1);
    object_store(&home, &large, 2);
    struct sg_payload *payload = sg_evidence_payload(home.ev);
    assert_true(sg_payload_next(payload, &at, id));
    assert_memory_equal(id, small.meta.id, 16);
    assert_true(sg_payload_next(payload, &at, id));
    assert_memory_equal(id, large.meta.id, 16);
    assert_false(sg_payload_next(payload, &at, id));
    assert_int_equal(sg_payload_remove(payload, small.meta.id), SG_OK);
    assert_int_equal(sg_payload_remove(payload, large.meta.id), SG_OK);
    assert_int_equal(sg_payload_remove(payload, large.meta.id), SG_OK);
    home_close(&home);
    home_open(&home);
    payload = sg_evidence_payload(home.ev);
    assert_int_equal(sg_payload_count(payload), 0);
    object_store(&home, &small, 3);
    assert_int_equal(sg_payload_remove_month(payload, 202611), SG_OK);
    assert_int_equal(sg_payload_find(payload, small.meta.id, NULL),
                     SG_ERR_NOT_FOUND);
    free(small.plain);
    free(large.plain);
    home_remove(&home);
}

static void
months_follow_the_calendar(void **state)
{
    (void)state;
    static const struct {
        uint64_t seconds;
        uint32_t month;
    } cases[] = {
        {0, 197001},          {951782400, 200002}, // 2000-02-29
        {951868800, 200003},  {1767225599, 202512},
        {1767225600, 202601}, {4107542400, 210003}, // 2100 is no leap year
    };
    for (size_t i = 0; i < SG_COUNT_OF(cases); i++)
        assert_int_equal(sg_payload_month(cases[i].seconds * 1000000),
                         cases[i].month);
}

static void
a_key_leaves_only_after_its_entry_is_durable(void **state)
{
    (void)state;
    struct home home;
    uint8_t manifest[32] = {1}, variant[16] = {2}, key[32], other[32];
    static const uint8_t none[32];
    home_create(&home);
    home_open(&home);
    assert_int_equal(sg_evidence_new_key(home.ev, manifest, variant), SG_OK);
    struct sg_release_request request = {SG_RELEASE_DELIVERY, manifest, variant,
                                         1};
    assert_int_equal(sg_release_key(home.ev, &request, key), SG_ERR_STOPPED);
    assert_memory_equal(key, none, 32);
    home_append_durable(&home, 1);
    assert_int_equal(sg_release_key(home.ev, &request, key), SG_OK);
    request.reason = SG_RELEASE_NONE;
    assert_int_equal(sg_release_key(home.ev, &request, other), SG_ERR_STOPPED);
    request.reason = SG_RELEASE_JOB;
    assert_int_equal(sg_release_key(home.ev, &request, other), SG_OK);
    assert_memory_equal(key, other, 32);
    variant[0] = 3;
    assert_int_equal(sg_release_key(home.ev, &request, other),
                     SG_ERR_NOT_FOUND);
    home_remove(&home);
}

// ---- destruction ------------------------------------------------------------------

static bool
has_bytes(const uint8_t *hay, size_t len, const void *needle, size_t needle_len)
{
    for (size_t i = 0; i + needle_len <= len; i++) {
        if (memcmp(hay + i, needle, needle_len) == 0)
            return true;
    }
    return false;
}

// Looks into every file of the home.
static bool
home_has(const struct home *home, const char *folder, const void *needle,
         size_t len)
{
    char path[SG_DISK_PATH];
    home_file(home, folder, path);
    char **names;
    size_t count;
    bool found = false;
    assert_int_equal(sg_os_file_list(path, &names, &count), SG_OK);
    for (size_t i = 0; i < count && !found; i++) {
        char name[SG_DISK_PATH], whole[SG_DISK_PATH];
        assert_true(sg_disk_path(name, "%s/%s", folder, names[i]));
        home_file(home, name, whole);
        DIR *dir = opendir(whole);
        if (dir != NULL) {
            (void)closedir(dir);
            found = home_has(home, name, needle, len);
            continue;
        }
        size_t size;
        uint8_t *bytes = home_read(home, name, &size);
        found = has_bytes(bytes, size, needle, len);
        free(bytes);
    }
    free(names);
    return found;
}

// Two releases with objects and secret blocks; the first has a rendition's key.
static void
make_two(struct home *home, struct object *gone, struct object *kept,
         const uint8_t block[SG_KEYS_SECRET_LEN])
{
    uint8_t variant[16] = {9};
    home_create(home);
    home_open(home);
    object_make(gone, 1, 300000, 262144);
    object_make(kept, 2, 1000, 262144);
    object_store(home, gone, 1);
    object_store(home, kept, 2);
    assert_int_equal(
        sg_evidence_put_secret(home->ev, gone->meta.manifest_sha256, block),
        SG_OK);
    assert_int_equal(
        sg_evidence_put_secret(home->ev, kept->meta.manifest_sha256, block),
        SG_OK);
    assert_int_equal(
        sg_evidence_new_key(home->ev, gone->meta.manifest_sha256, variant),
        SG_OK);
    home_append_durable(home, 1);
}

static void
destroy(struct home *home, const uint8_t manifest_sha256[32])
{
    struct sg_evidence_event event;
    uint8_t name[1][SG_KEYS_NAME_LEN];
    memcpy(name[0], manifest_sha256, 32);
    memset(name[0] + 32, 0xff, 16);
    assert_int_equal(sg_evidence_destroy_keys(
                         home->ev, (const uint8_t(*)[SG_KEYS_NAME_LEN])name, 1),
                     SG_OK);
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    home_await(home, SG_EVIDENCE_REWRAPPED, &event);
    assert_int_equal(event.seq, 2);
    assert_int_equal(sg_evidence_destroy_wraps(home->ev), SG_OK);
    assert_int_equal(sg_evidence_flush(home->ev), SG_OK);
    home_await(home, SG_EVIDENCE_WRAP_GONE, &event);
    assert_string_equal(sg_keys_class_name(event.class), "best_effort");
}

// The draw of random bytes that fails; 0: none does.
struct draws {
    uint64_t state;
    unsigned fails;
};

static enum sg_err
draw(void *arg, void *out, size_t len)
{
    struct draws *draws = arg;
    if (draws->fails > 0 && --draws->fails == 0)
        return SG_ERR_IO;
    return home_random(&draws->state, out, len);
}

// However far it came, all keys are what they were, and it can be tried again.
static void
a_destruction_that_fails_changes_nothing(void **state)
{
    enum { DRAWS = 4 }; // seed, wrapping key, one for each of two living
    (void)state;
    struct home home;
    struct object gone, kept, third;
    uint8_t name[1][SG_KEYS_NAME_LEN], block[SG_KEYS_SECRET_LEN];
    struct draws draws = {.state = 88172645463325252ull};
    memset(block, 0xab, sizeof(block));
    make_two(&home, &gone, &kept, block);
    home_close(&home);
    home.options.random = draw;
    home.options.random_arg = &draws;
    home_open(&home);
    object_make(&third, 3, 1000, 262144);
    object_store(&home, &third, 3);
    memcpy(name[0], gone.meta.manifest_sha256, 32);
    memset(name[0] + 32, 0xff, 16);
    for (unsigned fails = 1; fails <= DRAWS; fails++) {
        draws.fails = fails;
        assert_int_equal(
            sg_evidence_destroy_keys(
                home.ev, (const uint8_t(*)[SG_KEYS_NAME_LEN])name, 1),
            SG_ERR_IO);
        assert_int_equal(sg_keys_count(sg_evidence_keys(home.ev)), 4);
        assert_int_equal(object_check(&home, &gone), SG_OK);
        assert_int_equal(object_check(&home, &kept), SG_OK);
        assert_int_equal(object_check(&home, &third), SG_OK);
        assert_int_equal(
            sg_evidence_get_secret(home.ev, gone.meta.manifest_sha256, block),
            SG_OK);
    }
    destroy(&home, gone.meta.manifest_sha256);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(sg_keys_count(sg_evidence_keys(home.ev)), 2);
        assert_int_equal(object_check(&home, &gone), SG_ERR_NOT_FOUND);
        assert_int_equal(object_check(&home, &kept), SG_OK);
        assert_int_equal(object_check(&home, &third), SG_OK);
        home_close(&home);
        home_open(&home);
    }
    free(gone.plain);
    free(kept.plain);
    free(third.plain);
    home_remove(&home);
}

static void
a_destroyed_key_is_in_no_file(void **state)
{
    (void)state;
    struct home home;
    struct object gone, kept;
    uint8_t key[32], block[SG_KEYS_SECRET_LEN], out[SG_KEYS_SECRET_LEN];
    char path[SG_DISK_PATH];
    size_t len;
    memset(block, 0xab, sizeof(block));
    make_two(&home, &gone, &kept, block);
    const uint8_t *lost = gone.meta.manifest_sha256;
    const uint8_t *living = kept.meta.manifest_sha256;
    assert_int_equal(sg_evidence_get_secret(home.ev, lost, out), SG_OK);
    assert_memory_equal(block, out, sizeof(block));
    struct sg_release_request request = {SG_RELEASE_JOB, lost,
                                         gone.meta.variant, 0};
    assert_int_equal(sg_release_key(home.ev, &request, key), SG_OK);
    uint8_t *wrap = home_read(&home, "keys/wrap-1", &len);
    assert_true(home_has(&home, "keys", wrap + 16, 32));
    assert_true(home_has(&home, "keys", lost, 32));
    destroy(&home, lost);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(object_check(&home, &gone), SG_ERR_NOT_FOUND);
        assert_int_equal(object_check(&home, &kept), SG_OK);
        assert_int_equal(sg_evidence_get_secret(home.ev, lost, out),
                         SG_ERR_NOT_FOUND);
        assert_int_equal(sg_evidence_get_secret(home.ev, living, out), SG_OK);
        assert_int_equal(sg_keys_count(sg_evidence_keys(home.ev)), 1);
        home_close(&home);
        home_file(&home, "keys/wrap-1", path);
        assert_false(sg_disk_exists(path));
        assert_false(home_has(&home, "keys", wrap + 16, 32));
        assert_false(home_has(&home, "keys", lost, 32));
        assert_false(home_has(&home, ".", key, 32));
        assert_false(home_has(&home, ".", block, 32));
        assert_false(home_has(&home, ".", "CANARY", 6));
        home_open(&home);
    }
    free(wrap);
    free(gone.plain);
    free(kept.plain);
    home_remove(&home);
}

static void
a_changed_row_gives_no_key(void **state)
{
    (void)state;
    struct home home;
    uint8_t manifest[32] = {1}, variant[16] = {0}, key[32];
    home_create(&home);
    home_open(&home);
    assert_int_equal(sg_evidence_new_key(home.ev, manifest, variant), SG_OK);
    home_append_durable(&home, 1);
    home_close(&home);
    struct sg_release_request request = {SG_RELEASE_JOB, manifest, variant, 0};
    for (unsigned at = 0; at < 32 + 112; at++) {
        home_flip(&home, "keys/table-1", at, at % 8);
        enum sg_err err = home_try_open(&home);
        if (err == SG_OK)
            assert_int_equal(sg_release_key(home.ev, &request, key),
                             SG_ERR_NOT_FOUND);
        else
            assert_int_equal(err, SG_ERR_CORRUPT);
        home_close(&home);
        home_flip(&home, "keys/table-1", at, at % 8);
    }
    home_open(&home);
    assert_int_equal(sg_release_key(home.ev, &request, key), SG_OK);
    home_remove(&home);
}

static void
keys_are_bounded(void **state)
{
    (void)state;
    struct home home;
    uint8_t manifest[32] = {0}, variant[16] = {0};
    home_create(&home);
    home.options.keys_cap = 10;
    home_open(&home);
    for (uint8_t i = 0; i < 10; i++) {
        manifest[0] = i;
        assert_int_equal(sg_evidence_new_key(home.ev, manifest, variant),
                         SG_OK);
    }
    manifest[0] = 10;
    assert_int_equal(sg_evidence_new_key(home.ev, manifest, variant),
                     SG_ERR_FULL);
    home_remove(&home);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_of_any_size_come_back_as_they_went_in),
        cmocka_unit_test(a_chunk_number_is_written_once_an_attempt),
        cmocka_unit_test(a_workers_output_is_adopted_and_hashed_here),
        cmocka_unit_test(removed_objects_stay_removed),
        cmocka_unit_test(months_follow_the_calendar),
        cmocka_unit_test(a_key_leaves_only_after_its_entry_is_durable),
        cmocka_unit_test(a_destroyed_key_is_in_no_file),
        cmocka_unit_test(a_destruction_that_fails_changes_nothing),
        cmocka_unit_test(a_changed_row_gives_no_key),
        cmocka_unit_test(keys_are_bounded),
    };
    if (sg_crypto_start() != SG_OK)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
