// power_disk - records what the evidence store does to the disk, and makes the
// folder that a power cut at any moment could have left.
//
// What was not synced before the cut is kept, dropped, or torn at sectors of
// 512 bytes, write by write; half of the trials keep a prefix in order. Names
// that were not synced with their folder are kept up to a random one (journals
// keep the order of names). Rules of the model are POSIX's and no better: a
// synced file whose name was not synced may be gone.
#pragma once

#include <pthread.h>

#include "tests/unit/evidence/home.h"

enum power_kind {
    POWER_CREATE,
    POWER_WRITE,
    POWER_SYNC,
    POWER_FAILED, // a sync that failed: what it was for is lost to later ones
    POWER_RENAME,
    POWER_REMOVE,
    POWER_LINK,
    POWER_MAKE_DIR,
    POWER_SYNC_DIR,
    POWER_ACK,
};

enum {
    POWER_NAME = 96,
    POWER_FILES = 4096,
    POWER_SECTOR = 512,
    POWER_OPS = 65536
};

struct power_op {
    enum power_kind kind;
    uint32_t file; // number of the file, names apart
    uint64_t at, len;
    uint8_t *bytes; // NULL: zeros
    char name[POWER_NAME], to[POWER_NAME];
    uint64_t ack;    // entries the program has told of
    uint64_t object; // and an object; 0: none
};

struct power {
    pthread_mutex_t lock;
    char home[256];
    struct power_op *ops;
    size_t count, cap;
    uint32_t files;
    uint32_t file_of_fd[1024];
    struct sg_disk disk;
    // faults: the n-th call from now fails, 0: none
    unsigned sync_fails_at, write_fails_at;
    unsigned syncs, writes;
};

static struct power_op *
power_add(struct power *power, enum power_kind kind, const char *path)
{
    if (power->count == power->cap) {
        power->cap = power->cap == 0 ? 4096 : power->cap * 2;
        power->ops = realloc(power->ops, power->cap * sizeof(*power->ops));
        assert_non_null(power->ops);
    }
    struct power_op *op = &power->ops[power->count++];
    memset(op, 0, sizeof(*op));
    op->kind = kind;
    size_t home_len = strlen(power->home);
    if (path != NULL && strlen(path) > home_len)
        (void)snprintf(op->name, sizeof(op->name), "%.95s",
                       path + home_len + 1);
    return op;
}

static enum sg_err
power_open(void *arg, const char *path, enum sg_disk_how how, int *fd)
{
    struct power *power = arg;
    enum sg_err err = sg_disk_real.open(NULL, path, how, fd);
    if (err != SG_OK || how == SG_DISK_READ)
        return err;
    (void)pthread_mutex_lock(&power->lock);
    assert_true(*fd < (int)SG_COUNT_OF(power->file_of_fd));
    uint32_t file = 0;
    if (how == SG_DISK_WRITE) { // the file that has this name now
        struct power_op *op = power_add(power, POWER_CREATE, path);
        char name[POWER_NAME];
        memcpy(name, op->name, sizeof(name));
        power->count--;
        for (size_t i = 0; i < power->count; i++) {
            const struct power_op *past = &power->ops[i];
            bool gives =
                (past->kind == POWER_CREATE && strcmp(past->name, name) == 0) ||
                (past->kind == POWER_LINK && strcmp(past->name, name) == 0) ||
                (past->kind == POWER_RENAME && strcmp(past->to, name) == 0);
            if (gives)
                file = past->file;
            // a folder renamed with what is in it
            size_t len = strlen(past->to);
            if (past->kind == POWER_RENAME && len > 0 &&
                strncmp(past->to, name, len) == 0 && name[len] == '/') {
                char old[2 * POWER_NAME];
                (void)snprintf(old, sizeof(old), "%s%s", past->name,
                               name + len);
                for (size_t j = 0; j < i; j++) {
                    if (power->ops[j].kind == POWER_CREATE &&
                        strcmp(power->ops[j].name, old) == 0)
                        file = power->ops[j].file;
                }
            }
        }
    }
    if (file == 0) {
        file = ++power->files;
        if (how == SG_DISK_CREATE)
            power_add(power, POWER_CREATE, path)->file = file;
    }
    power->file_of_fd[*fd] = file;
    (void)pthread_mutex_unlock(&power->lock);
    return SG_OK;
}

static void
power_close(void *arg, int fd)
{
    (void)arg;
    sg_disk_real.close(NULL, fd);
}

static enum sg_err
power_write(void *arg, int fd, uint64_t at, const void *bytes, size_t len)
{
    struct power *power = arg;
    (void)pthread_mutex_lock(&power->lock);
    bool fails = ++power->writes == power->write_fails_at;
    (void)pthread_mutex_unlock(&power->lock);
    if (fails)
        return SG_ERR_DISK;
    enum sg_err err = sg_disk_real.write(NULL, fd, at, bytes, len);
    (void)pthread_mutex_lock(&power->lock);
    struct power_op *op = power_add(power, POWER_WRITE, NULL);
    const uint8_t *from = bytes;
    size_t zeros = 0;
    op->file = power->file_of_fd[fd];
    op->at = at;
    op->len = len;
    while (zeros < len && from[zeros] == 0)
        zeros++;
    if (zeros < len) {
        op->bytes = malloc(len);
        assert_non_null(op->bytes);
        memcpy(op->bytes, bytes, len);
    }
    (void)pthread_mutex_unlock(&power->lock);
    return err;
}

static enum sg_err
power_sync(void *arg, int fd)
{
    struct power *power = arg;
    (void)pthread_mutex_lock(&power->lock);
    bool fails = ++power->syncs == power->sync_fails_at;
    power_add(power, fails ? POWER_FAILED : POWER_SYNC, NULL)->file =
        power->file_of_fd[fd];
    (void)pthread_mutex_unlock(&power->lock);
    return fails ? SG_ERR_IO : SG_OK; // the real one would only cost time
}

static enum sg_err
power_sync_dir(void *arg, const char *path)
{
    struct power *power = arg;
    (void)pthread_mutex_lock(&power->lock);
    (void)power_add(power, POWER_SYNC_DIR, path);
    (void)pthread_mutex_unlock(&power->lock);
    return SG_OK;
}

static uint32_t
power_file_named(const struct power *power, const char *name)
{
    uint32_t file = 0;
    for (size_t i = 0; i < power->count; i++) {
        const struct power_op *op = &power->ops[i];
        if ((op->kind == POWER_CREATE || op->kind == POWER_LINK) &&
            strcmp(op->name, name) == 0)
            file = op->file;
        if (op->kind == POWER_RENAME && strcmp(op->to, name) == 0)
            file = op->file;
    }
    return file;
}

static enum sg_err
power_rename(void *arg, const char *from, const char *to)
{
    struct power *power = arg;
    enum sg_err err = sg_disk_real.rename(NULL, from, to);
    if (err != SG_OK)
        return err;
    (void)pthread_mutex_lock(&power->lock);
    struct power_op *op = power_add(power, POWER_RENAME, from);
    (void)snprintf(op->to, sizeof(op->to), "%.95s",
                   to + strlen(power->home) + 1);
    char name[POWER_NAME];
    memcpy(name, op->name, sizeof(name));
    uint32_t file = power_file_named(power, name);
    power->ops[power->count - 1].file = file;
    (void)pthread_mutex_unlock(&power->lock);
    return SG_OK;
}

static enum sg_err
power_remove(void *arg, const char *path)
{
    struct power *power = arg;
    bool was = sg_disk_exists(path);
    enum sg_err err = sg_disk_real.remove(NULL, path);
    (void)pthread_mutex_lock(&power->lock);
    if (was && err == SG_OK)
        (void)power_add(power, POWER_REMOVE, path);
    (void)pthread_mutex_unlock(&power->lock);
    return err;
}

static enum sg_err
power_remove_dir(void *arg, const char *path)
{
    (void)arg;
    return sg_disk_real.remove_dir(NULL, path);
}

static enum sg_err
power_link(void *arg, int fd, const char *path)
{
    struct power *power = arg;
    enum sg_err err = sg_disk_real.link(NULL, fd, path);
    (void)pthread_mutex_lock(&power->lock);
    power_add(power, POWER_LINK, path)->file = power->file_of_fd[fd];
    (void)pthread_mutex_unlock(&power->lock);
    return err;
}

static enum sg_err
power_make_dir(void *arg, const char *path)
{
    struct power *power = arg;
    bool was = sg_disk_exists(path);
    enum sg_err err = sg_disk_real.make_dir(NULL, path);
    (void)pthread_mutex_lock(&power->lock);
    if (!was && err == SG_OK)
        (void)power_add(power, POWER_MAKE_DIR, path);
    (void)pthread_mutex_unlock(&power->lock);
    return err;
}

static inline void
power_start(struct power *power, const char *home)
{
    memset(power, 0, sizeof(*power));
    (void)pthread_mutex_init(&power->lock, NULL);
    (void)snprintf(power->home, sizeof(power->home), "%s", home);
    power->disk = (struct sg_disk){.arg = power,
                                   .open = power_open,
                                   .close = power_close,
                                   .write = power_write,
                                   .sync = power_sync,
                                   .sync_dir = power_sync_dir,
                                   .rename = power_rename,
                                   .remove = power_remove,
                                   .remove_dir = power_remove_dir,
                                   .link = power_link,
                                   .make_dir = power_make_dir};
}

static inline void
power_ack(struct power *power, uint64_t ack)
{
    (void)pthread_mutex_lock(&power->lock);
    power_add(power, POWER_ACK, NULL)->ack = ack;
    (void)pthread_mutex_unlock(&power->lock);
}

static inline void
power_ack_object(struct power *power, uint64_t object)
{
    (void)pthread_mutex_lock(&power->lock);
    power_add(power, POWER_ACK, NULL)->object = object;
    (void)pthread_mutex_unlock(&power->lock);
}

static inline void
power_end(struct power *power)
{
    for (size_t i = 0; i < power->count; i++)
        free(power->ops[i].bytes);
    free(power->ops);
    (void)pthread_mutex_destroy(&power->lock);
}

// ---- what a cut leaves --------------------------------------------------------------

struct power_name {
    char name[POWER_NAME];
    uint32_t file;
    bool dir;
};

struct power_names {
    struct power_name *list;
    size_t count;
};

static void
power_put_name(struct power_names *names, const char *name, uint32_t file,
               bool dir)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].name, name) == 0) {
            names->list[i].file = file;
            return;
        }
    }
    assert_true(names->count < POWER_FILES);
    struct power_name *entry = &names->list[names->count++];
    (void)snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->file = file;
    entry->dir = dir;
}

static void
power_drop_name(struct power_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->list[i].name, name) == 0)
            names->list[i] = names->list[--names->count];
    }
}

static void
power_apply_name(struct power_names *names, const struct power_op *op)
{
    if (op->kind == POWER_CREATE || op->kind == POWER_LINK)
        power_put_name(names, op->name, op->file, false);
    if (op->kind == POWER_MAKE_DIR)
        power_put_name(names, op->name, 0, true);
    if (op->kind == POWER_REMOVE)
        power_drop_name(names, op->name);
    if (op->kind != POWER_RENAME)
        return;
    size_t len = strlen(op->name);
    bool found = false;
    for (size_t i = 0; i < names->count && !found; i++)
        found = strcmp(names->list[i].name, op->name) == 0;
    if (!found) // its making was never durable, so the name holds nothing
        return;
    power_drop_name(names, op->to);
    for (size_t i = 0; i < names->count; i++) {
        char moved[2 * POWER_NAME];
        struct power_name *entry = &names->list[i];
        if (strncmp(entry->name, op->name, len) != 0 ||
            (entry->name[len] != '\0' && entry->name[len] != '/'))
            continue;
        (void)snprintf(moved, sizeof(moved), "%s%s", op->to, entry->name + len);
        (void)snprintf(entry->name, sizeof(entry->name), "%.95s", moved);
    }
}

static void
power_folder_of(const char *name, char out[POWER_NAME])
{
    (void)snprintf(out, POWER_NAME, "%s", name);
    char *slash = strrchr(out, '/');
    if (slash == NULL)
        out[0] = '\0';
    else
        *slash = '\0';
}

static bool
power_is_name_op(const struct power_op *op)
{
    return op->kind == POWER_CREATE || op->kind == POWER_RENAME ||
           op->kind == POWER_REMOVE || op->kind == POWER_LINK ||
           op->kind == POWER_MAKE_DIR;
}

// Names: durable up to the last sync of their folder, then a random prefix.
// A folder renamed keeps its synced state under both names.
static void
power_names_at(const struct power *power, size_t cut, bool with_syncs,
               uint64_t *random, struct power_names *names)
{
    size_t first_loose = cut;
    names->count = 0;
    for (size_t i = 0; i < cut; i++) {
        const struct power_op *op = &power->ops[i];
        if (!power_is_name_op(op))
            continue;
        char folder[POWER_NAME], other[POWER_NAME];
        power_folder_of(op->name, folder);
        bool durable = false;
        (void)snprintf(other, sizeof(other), "%s", folder);
        for (size_t j = i + 1; j < cut && !durable && with_syncs; j++) {
            const struct power_op *later = &power->ops[j];
            if (later->kind == POWER_RENAME && strcmp(later->name, other) == 0)
                (void)snprintf(other, sizeof(other), "%s", later->to);
            durable = later->kind == POWER_SYNC_DIR &&
                      (strcmp(later->name, folder) == 0 ||
                       strcmp(later->name, other) == 0);
        }
        if (!durable) {
            first_loose = i;
            break;
        }
    }
    // From the first name that is not durable on, a random prefix; but what
    // was synced of other folders in between is kept as well.
    uint64_t draw;
    (void)home_random(random, &draw, sizeof(draw));
    size_t keep = first_loose + draw % (cut - first_loose + 1);
    for (size_t i = 0; i < cut; i++) {
        const struct power_op *op = &power->ops[i];
        if (!power_is_name_op(op))
            continue;
        bool durable = i < keep;
        char folder[POWER_NAME];
        power_folder_of(op->name, folder);
        for (size_t j = i + 1; j < cut && !durable && with_syncs; j++)
            durable = power->ops[j].kind == POWER_SYNC_DIR &&
                      strcmp(power->ops[j].name, folder) == 0;
        if (durable)
            power_apply_name(names, op);
    }
}

static void
power_put_bytes(int fd, const struct power_op *op, uint64_t from, uint64_t to)
{
    static const uint8_t zeros[4096];
    while (from < to) {
        size_t part = to - from < sizeof(zeros) ? to - from : sizeof(zeros);
        const uint8_t *bytes = op->bytes == NULL ? zeros : op->bytes + from;
        uint64_t size = 0;
        assert_int_equal(sg_disk_size(fd, &size), SG_OK);
        // Zeros behind the end: a hole does.
        if (op->bytes == NULL && op->at + from >= size) {
            assert_int_equal(ftruncate(fd, (off_t)(op->at + to)), 0);
            return;
        }
        assert_int_equal(
            sg_disk_real.write(NULL, fd, op->at + from, bytes, part), SG_OK);
        from += part;
    }
}

// One file as the cut leaves it.
static void
power_put_file(const struct power *power, size_t cut, bool with_syncs,
               uint32_t file, int fd, uint64_t *random)
{
    static bool loose[POWER_OPS];
    size_t writes = 0, seen = 0;
    enum power_kind next = POWER_WRITE; // the sync after, if any
    uint64_t draw;
    assert_true(cut <= POWER_OPS);
    for (size_t i = cut; i-- > 0;) {
        const struct power_op *op = &power->ops[i];
        if (op->file != file)
            continue;
        if (op->kind == POWER_SYNC || op->kind == POWER_FAILED)
            next = op->kind;
        loose[i] =
            op->kind == POWER_WRITE && (next != POWER_SYNC || !with_syncs);
        writes += loose[i];
    }
    (void)home_random(random, &draw, sizeof(draw));
    bool in_order = (draw & 1) != 0;
    size_t prefix = (size_t)((draw >> 8) % (writes + 1));
    for (size_t i = 0; i < cut; i++) {
        const struct power_op *op = &power->ops[i];
        if (op->file != file || op->kind != POWER_WRITE)
            continue;
        uint64_t how = 0; // whole
        if (loose[i]) {
            (void)home_random(random, &draw, sizeof(draw));
            how = in_order ? (seen < prefix    ? 0
                              : seen == prefix ? 2
                                               : 1)
                           : draw % 3;
            seen++;
        }
        if (how == 0)
            power_put_bytes(fd, op, 0, op->len);
        for (uint64_t at = 0; how == 2 && at < op->len;) { // torn
            uint64_t end = (op->at + at) / POWER_SECTOR * POWER_SECTOR +
                           POWER_SECTOR - op->at;
            end = end < op->len ? end : op->len;
            (void)home_random(random, &draw, sizeof(draw));
            if ((draw >> 16 & 1) != 0)
                power_put_bytes(fd, op, at, end);
            at = end;
        }
    }
}

// The folder `to` after a cut before op `cut`. with_syncs false: as if no sync
// had ever done anything.
static inline void
power_replay(const struct power *power, size_t cut, bool with_syncs,
             uint64_t *random, const char *to)
{
    static struct power_name list[POWER_FILES];
    struct power_names names = {list, 0};
    char path[SG_DISK_PATH];
    power_names_at(power, cut, with_syncs, random, &names);
    assert_int_equal(sg_os_file_make_dirs(to), SG_OK);
    for (size_t i = 0; i < names.count; i++) {
        assert_true(sg_disk_path(path, "%s/%s", to, names.list[i].name));
        if (names.list[i].dir)
            assert_int_equal(sg_os_file_make_dirs(path), SG_OK);
    }
    for (size_t i = 0; i < names.count; i++) {
        int fd;
        if (names.list[i].dir)
            continue;
        char folder[SG_DISK_PATH];
        assert_true(sg_disk_path(path, "%s/%s", to, names.list[i].name));
        assert_true(sg_disk_path(folder, "%s", path));
        *strrchr(folder, '/') = '\0';
        if (!sg_disk_exists(folder))
            continue; // its folder was never durable
        assert_int_equal(sg_disk_real.open(NULL, path, SG_DISK_CREATE, &fd),
                         SG_OK);
        power_put_file(power, cut, with_syncs, names.list[i].file, fd, random);
        sg_disk_real.close(NULL, fd);
    }
}

static inline uint64_t
power_acked(const struct power *power, size_t cut)
{
    uint64_t ack = 0;
    for (size_t i = 0; i < cut; i++) {
        if (power->ops[i].kind == POWER_ACK && power->ops[i].ack > ack)
            ack = power->ops[i].ack;
    }
    return ack;
}

// The last object told of before the cut; 0: none.
static inline uint64_t
power_acked_object(const struct power *power, size_t cut)
{
    uint64_t object = 0;
    for (size_t i = 0; i < cut; i++) {
        if (power->ops[i].kind == POWER_ACK && power->ops[i].object != 0)
            object = power->ops[i].object;
    }
    return object;
}
