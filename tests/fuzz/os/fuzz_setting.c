// Settings and key files, any bytes: refused with a reason, or the values are
// texts of the bytes that stand there and a key belongs to its own halves.
#include "broker/os/conf.h"
#include "broker/os/keyfile.h"
#include "tests/fuzz/folder.h"
#include "tests/fuzz/proof/seed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_settings(const char *path)
{
    char gate[65] = "", data[16] = "", note[4096] = "";
    const struct sg_os_conf_row rows[] = {{"gate", gate, sizeof gate, true},
                                          {"data", data, sizeof data, false},
                                          {"note", note, sizeof note, false}};
    struct sg_diag diag;

    enum sg_err err = sg_os_conf_read(path, rows, SG_COUNT_OF(rows), &diag);
    SG_ASSERT(err == SG_OK || diag.text[0] != '\0');
    SG_ASSERT(memchr(gate, '\0', sizeof gate) != NULL);
    SG_ASSERT(memchr(data, '\0', sizeof data) != NULL);
    SG_ASSERT(memchr(note, '\0', sizeof note) != NULL);
}

static void
take_key(const char *path)
{
    static const char *const uses[] = {"transport", "sign", "root"};
    struct sg_os_keyfile key;
    uint8_t id[32];

    for (size_t i = 0; i < SG_COUNT_OF(uses); i++) {
        if (sg_os_keyfile_read(path, uses[i], &key) != SG_OK)
            continue;
        SG_ASSERT(strcmp(key.use, uses[i]) == 0);
        sg_os_keyfile_id(&key, id);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[SG_OS_PATH];
    uint8_t *made;

    SG_ASSERT(sg_crypto_start() == SG_OK);
    (void)folder_make();
    folder_put("file", seed_bytes(data, size, &made), path);
    take_settings(path);
    take_key(path);
    free(made);
    return 0;
}
