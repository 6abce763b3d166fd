// The laws: one person proposes them, another approves, then they hold.
#include <stdio.h>
#include <string.h>

#include "adapters/cli/cli.h"
#include "adapters/cli/demo.h"

static const char *const files[] = {"hub", "export-ke", "export-rw",
                                    "export-kg", "import-default"};

static const char *
law(const struct sg_demo *demo, int i)
{
    return sg_demo_path(demo, "policy/%s.policy", files[i]);
}

static bool
copy(const struct sg_demo *demo)
{
    bool ok = sg_os_file_make_dirs(sg_demo_path(demo, "policy")) == SG_OK;

    for (size_t i = 0; i < SG_COUNT_OF(files) && ok; i++) {
        char path[SG_OS_PATH], name[64];
        (void)snprintf(name, sizeof name, "policy/%s.policy", files[i]);
        ok = sg_os_file_path(path, "%s/%s.policy", demo->policy, files[i]) &&
             sg_demo_copy(demo, path, name);
    }
    return ok;
}

// "proposed HEX, N files"
static bool
propose(struct sg_demo *demo, char sha256[65])
{
    sha256[0] = '\0';
    return sg_demo_verb(demo, "desk", sg_verb_policy, "policy", "propose",
                        law(demo, 0), law(demo, 1), law(demo, 2), law(demo, 3),
                        law(demo, 4), NULL) == 0 &&
           demo->said != NULL &&
           sscanf(demo->said, "proposed %64[0-9a-f]", sha256) == 1;
}

static bool
approve(struct sg_demo *demo, const char *home, const char *sha256)
{
    return sg_demo_verb(demo, home, sg_verb_policy, "policy", "approve", sha256,
                        NULL) == 0;
}

void
sg_demo_laws(struct sg_demo *demo)
{
    char sha256[65];

    sg_demo_chapter(demo, "Laws, by two persons");
    sg_demo_must(demo, copy(demo),
                 "Five example policies: the hub's, an export law for each "
                 "office, an import default.");
    if (demo->broken)
        return;
    bool ok = sg_demo_verb(demo, "desk", sg_verb_policy, "policy", "test",
                           sg_demo_path(demo, "policy"), NULL) == 0;
    sg_demo_step(demo, ok, "Their own tests hold.");
    if (!sg_demo_must(demo, propose(demo, sha256),
                      "Asha, of the hub, proposes them."))
        return;
    ok = !approve(demo, "desk", sha256) &&
         sg_demo_has(demo->erred, "policy.two_persons");
    sg_demo_step(demo, ok, "She cannot approve them herself.");
    sg_demo_must(demo, approve(demo, "board", sha256),
                 "Ben approves what she proposed, named by its hash.");
    ok = sg_demo_verb(demo, "board", sg_verb_policy, "policy", "status",
                      NULL) == 0 &&
         sg_demo_has(demo->said, "generation 1") &&
         sg_demo_has(demo->said, sha256);
    sg_demo_step(demo, ok, "All five hold from now on, or none would.");
}
