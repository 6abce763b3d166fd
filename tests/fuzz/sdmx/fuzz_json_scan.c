// Any bytes as JSON, by our scanner and by yajl: what we take, yajl takes, and
// both say the same tokens; what we refuse, yajl refuses, but for what
// json_scan.h says we are stricter in. Whole and in pieces say the same.
#include <yajl/yajl_parse.h>

#include "broker/base/limits.h"
#include "tests/unit/sdmx/json_fixture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
on_null(void *f)
{
    json_fixture_say(f, 'w', "null", 4);
    return 1;
}

static int
on_bool(void *f, int value)
{
    json_fixture_say(f, 'w', value ? "true" : "false", value ? 4 : 5);
    return 1;
}

static int
on_number(void *f, const char *text, size_t len)
{
    json_fixture_say(f, 'd', text, len);
    return 1;
}

static int
on_string(void *f, const unsigned char *text, size_t len)
{
    json_fixture_say(f, 's', text, len);
    return 1;
}

static int
on_name(void *f, const unsigned char *text, size_t len)
{
    json_fixture_say(f, 'n', text, len);
    return 1;
}

static int
on_object(void *f)
{
    json_fixture_say(f, '{', NULL, 0);
    return 1;
}

static int
on_object_end(void *f)
{
    json_fixture_say(f, '}', NULL, 0);
    return 1;
}

static int
on_array(void *f)
{
    json_fixture_say(f, '[', NULL, 0);
    return 1;
}

static int
on_array_end(void *f)
{
    json_fixture_say(f, ']', NULL, 0);
    return 1;
}

static bool
read_yajl(struct json_fixture *f, struct sg_slice text)
{
    static const yajl_callbacks calls = {
        .yajl_null = on_null,
        .yajl_boolean = on_bool,
        .yajl_number = on_number,
        .yajl_string = on_string,
        .yajl_map_key = on_name,
        .yajl_start_map = on_object,
        .yajl_end_map = on_object_end,
        .yajl_start_array = on_array,
        .yajl_end_array = on_array_end,
    };
    yajl_handle handle = yajl_alloc(&calls, NULL, f);
    bool good = yajl_parse(handle, text.ptr, text.len) == yajl_status_ok &&
                yajl_complete_parse(handle) == yajl_status_ok;
    yajl_free(handle);
    return good;
}

// yajl makes ? of half a pair, takes \u0000 and more of what is no UTF-8, has
// white space of its own, and does not look at a token behind the end that is
// not whole.
static bool
stricter(const struct json_fixture *ours, struct sg_slice text)
{
    uint8_t byte = ours->at < text.len ? text.ptr[ours->at] : 0;
    return byte == '\v' || byte == '\f' || ours->fault == SG_JSON_FAULT_LIMIT ||
           ours->fault == SG_JSON_FAULT_ENCODING ||
           strstr(ours->why, "surrogate") != NULL ||
           strstr(ours->why, "behind the end") != NULL ||
           strstr(ours->why, "u0000") != NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > 1u << 16)
        return 0;
    struct sg_slice text = sg_slice_of(data + 1, size - 1);
    size_t step = data[0] < 128 ? (size_t)data[0] + 1 : 1 + text.len / 3;
    struct json_fixture whole = {0}, pieces = {0}, yajl = {0};
    json_fixture_read(&whole, text, text.len);
    json_fixture_read(&pieces, text, step);
    SG_ASSERT(json_fixture_same(&whole, &pieces));
    bool taken = read_yajl(&yajl, text);
    if (whole.err == SG_OK)
        SG_ASSERT(taken && yajl.len == whole.len &&
                  memcmp(yajl.log, whole.log, whole.len) == 0);
    else
        SG_ASSERT(!taken || stricter(&whole, text));
    free(whole.log);
    free(pieces.log);
    free(yajl.log);
    return 0;
}
