// The real statgate-inspect whose reader was taken over: linked from the same
// objects, with its calls turned here (ld --wrap). Knows from struct faults
// what to do, and does it in the closed room in which any reader is. As judge,
// writer and reviewer it is honest.
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "broker/base/limits.h"
#include "broker/inspect/worker/role.h"
#include "broker/os/channel.h"
#include "schemas/codec/codec.h"
#include "tests/e2e/faults.h"
#include "tests/e2e/lies.h"

enum { ROOM = 64 * 1024, LARGEST = 16 << 20 };

enum sg_err __real_sg_role_reader(struct sg_role_item *item);
enum sg_err __wrap_sg_role_reader(struct sg_role_item *item);
enum sg_err __real_sg_sealed_in_next(struct sg_sealed_in *in,
                                     struct sg_slice *plain);
enum sg_err __wrap_sg_sealed_in_next(struct sg_sealed_in *in,
                                     struct sg_slice *plain);
enum sg_err __real_sg_sealed_out_write(void *context, struct sg_slice plain);
enum sg_err __wrap_sg_sealed_out_write(void *context, struct sg_slice plain);
enum sg_err __real_sg_os_channel_send(int fd, struct sg_slice packet,
                                      const int *fds, size_t count);
enum sg_err __wrap_sg_os_channel_send(int fd, struct sg_slice packet,
                                      const int *fds, size_t count);

static struct faults *faults;
static enum lie lie; // of this process: one job
static bool reading;
static char text[ROOM];
static uint8_t large[LARGEST];

__attribute__((constructor)) static void
find_faults(void)
{
    const char *path = getenv(FAULTS_ENV);
    int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);

    faults = fd < 0 ? MAP_FAILED
                    : mmap(NULL, sizeof *faults, PROT_READ | PROT_WRITE,
                           MAP_SHARED, fd, 0);
    if (faults == MAP_FAILED)
        _exit(1); // an honest liar would prove nothing
    (void)close(fd);
}

// ---- other rows ----------------------------------------------------------------

static const struct {
    const char *find, *put;
} changes[LIES] = {
    [LIE_VALUE] = {",0.7,", ",0.8,"},    [LIE_DIGITS] = {",0.7,", ",0.70,"},
    [LIE_WITHHELD] = {",0.7,", ",NaN,"}, [LIE_FLAG] = {",A,0,", ",E,0,"},
    [LIE_AREA] = {",404,", ",646,"},     [LIE_YEAR] = {",2015,", ",1999,"},
};

// The last line of text[0..len), without its end.
static size_t
last_line(size_t len)
{
    size_t at = len - 1;

    while (at > 0 && text[at - 1] != '\n')
        at--;
    return at;
}

static size_t
append_row(size_t len)
{
    size_t at = last_line(len), line = len - at;

    memcpy(text + len, text + at, line);
    char *year = strstr(text + len, ",2018,");
    if (year != NULL)
        year[4] = '9';
    return len + line;
}

static size_t
change(size_t len)
{
    static unsigned looked;
    const char *find = changes[lie].find, *put = changes[lie].put;
    char *at = find == NULL ? NULL : strstr(text, find);

    if (lie == LIE_ROW_LESS)
        return last_line(len);
    if (lie == LIE_ROW_MORE)
        return append_row(len);
    if (lie == LIE_NO_ROWS) // it looked at them, and then wrote none
        return looked++ > 0 ? strcspn(text, "\n") + 1 : len;
    if (at == NULL)
        return len;
    size_t old = strlen(find), new = strlen(put);
    memmove(at + new, at + old, len - (size_t)(at - text) - old);
    memcpy(at, put, new);
    return len - old + new;
}

enum sg_err
__wrap_sg_sealed_in_next(struct sg_sealed_in *in, struct sg_slice *plain)
{
    enum sg_err err = __real_sg_sealed_in_next(in, plain);

    if (err != SG_OK || !reading || lie > LIE_NO_ROWS || plain->len == 0 ||
        plain->len > ROOM / 2)
        return err;
    memset(text, 0, sizeof text);
    memcpy(text, plain->ptr, plain->len);
    *plain = sg_slice_of(text, change(plain->len));
    return err;
}

// ---- other bytes ---------------------------------------------------------------

enum sg_err
__wrap_sg_sealed_out_write(void *context, struct sg_slice plain)
{
    if (!reading || lie != LIE_STREAM || plain.len > ROOM)
        return __real_sg_sealed_out_write(context, plain);
    for (size_t i = 0; i < plain.len; i++)
        text[i] = (char)(plain.ptr[i] ^ 0xa5);
    return __real_sg_sealed_out_write(context, sg_slice_of(text, plain.len));
}

static void
spoil_file(int fd)
{
    static const char junk[] = "these bytes were never sealed by anybody";

    if (lie == LIE_SEALED)
        (void)!pwrite(fd, junk, sizeof junk, 0);
}

static void
spoil_claims(struct sg_role_item *item)
{
    static Sgpb__Facts facts = SGPB__FACTS__INIT;
    static uint8_t root[32];
    Sgpb__DoneItem *done = item->done;

    switch ((unsigned)lie) {
    case LIE_CUT: // one chunk more than was written
        done->leaves_bytes += SG_LIMIT_CHUNK;
        done->leaves_chunks++;
        break;
    case LIE_SHORTER:
        done->leaves_bytes--;
        break;
    case LIE_LONGER:
        done->leaves_bytes++;
        break;
    case LIE_ENDLESS:
        done->leaves_bytes = UINT64_MAX;
        done->leaves_chunks = UINT64_MAX / SG_LIMIT_CHUNK + 1;
        break;
    case LIE_CHUNKS:
        done->leaves_chunks = UINT64_MAX;
        break;
    case LIE_NOTHING_MADE:
        done->leaves_bytes = done->leaves_chunks = 0;
        break;
    case LIE_REPORT_ENDLESS:
        done->report_bytes = UINT64_MAX;
        break;
    case LIE_VERDICT:
        done->verdict = 77;
        break;
    case LIE_REJECTS:
        done->verdict = SG_ROLE_REJECT;
        done->code = (char *)(uintptr_t) "\x1b[2J../../etc/passwd";
        done->component = (char *)(uintptr_t) "\x1b]0;gate\x07\nACCEPTED";
        done->faults = UINT64_MAX;
        break;
    case LIE_FACTS:
        facts.observations = 7;
        done->facts = &facts;
        done->rows = done->rows_in = 7;
        done->content_root = sg_codec_bytes(root, sizeof root);
        break;
    default:
        break;
    }
}

enum sg_err
__wrap_sg_role_reader(struct sg_role_item *item)
{
    lie = (enum lie)faults->lie;
    if (lie == LIE_NONE)
        return __real_sg_role_reader(item);
    faults->lied++;
    reading = true;
    enum sg_err err = __real_sg_role_reader(item);
    reading = false;
    spoil_file(item->of->leaves_fd);
    spoil_claims(item);
    return err;
}

// ---- other answers -------------------------------------------------------------

static enum sg_err
send_done(int fd, struct sg_slice packet)
{
    struct sg_arena *arena = sg_arena_new(1 << 20, 0);
    Sgpb__DoneItem *two[2];
    void *open;

    if (arena == NULL ||
        sg_codec_unpack(&sgpb__done__descriptor, packet, arena, &open) != SG_OK)
        _exit(2);
    Sgpb__Done *done = open;
    two[0] = two[1] = done->items[0];
    if (lie == LIE_OTHER_JOB)
        done->job++;
    else if (lie == LIE_NO_ITEM)
        done->n_items = 0;
    else if (lie == LIE_BOTH)
        done->code = (char *)(uintptr_t) "store.io";
    else {
        done->items = two;
        done->n_items = 2;
    }
    if (sg_codec_pack(&done->base, arena, &packet) != SG_OK)
        _exit(2);
    return __real_sg_os_channel_send(fd, packet, NULL, 0);
}

static enum sg_err
send_largest(int fd)
{
    size_t len = LARGEST;

    memset(large, 0x0a, sizeof large);
    while (len > 1 && __real_sg_os_channel_send(fd, sg_slice_of(large, len),
                                                NULL, 0) != SG_OK)
        len -= len / 8 + 1;
    return SG_OK;
}

static enum sg_err
send_late(int fd, struct sg_slice packet)
{
    struct sg_os_channel_fds none = {NULL, 0, 0};
    uint8_t word[1];
    size_t len = 1;

    while (len > 0 && sg_os_channel_receive(fd, word, 1, &len, &none) == SG_OK)
        ;
    return __real_sg_os_channel_send(fd, packet, NULL, 0);
}

enum sg_err
__wrap_sg_os_channel_send(int fd, struct sg_slice packet, const int *fds,
                          size_t count)
{
    static const int own[] = {2, 2, 2, 2};

    switch ((unsigned)lie) {
    case LIE_OTHER_JOB:
    case LIE_NO_ITEM:
    case LIE_TWO_ITEMS:
    case LIE_BOTH:
        return send_done(fd, packet);
    case LIE_GARBAGE:
        memset(large, 0xff, packet.len);
        return __real_sg_os_channel_send(fd, sg_slice_of(large, packet.len),
                                         NULL, 0);
    case LIE_HALF:
        packet.len /= 2;
        break;
    case LIE_EMPTY:
        packet.len = 0;
        break;
    case LIE_OVERSIZE:
        return send_largest(fd);
    case LIE_DESCRIPTORS:
        return __real_sg_os_channel_send(fd, packet, own, SG_COUNT_OF(own));
    case LIE_CRASH:
        abort();
    case LIE_LEAVES:
        _exit(0);
    case LIE_ESCAPES: // where the room only writes it down, it ends here too
        (void)!open("/etc/passwd", O_RDONLY);
        _exit(0);
    case LIE_LATE:
        return send_late(fd, packet);
    default:
        break;
    }
    return __real_sg_os_channel_send(fd, packet, fds, count);
}
