#include "adapters/cli/dry.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/os/file.h"
#include "schemas/codec/codec.h"

enum { SENTENCE = 4096 };

int
sg_dry_say(bool json, const char *format, ...)
{
    char sentence[SENTENCE];
    va_list list;

    va_start(list, format);
    (void)vsnprintf(sentence, sizeof sentence, format, list);
    va_end(list);
    if (!json) {
        printf("dry run: it would %s; nothing was changed\n", sentence);
        return 0;
    }
    printf("{\"exit\":0,\"code\":\"ok\",\"dry_run\":true,\"would\":");
    sg_gate_call_print_string(sentence);
    printf("}\n");
    return 0;
}

// "/." behind it: only a folder has that.
static bool
is_folder(const char *path)
{
    char inside[SG_OS_PATH];

    return sg_os_file_path(inside, "%s/.", path) && sg_os_file_exists(inside);
}

// The folder that a path lies in.
static bool
folder_of(const char *path, char out[SG_OS_PATH])
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return sg_os_file_path(out, ".");
    if (slash == path)
        return sg_os_file_path(out, "/");
    return sg_os_file_path(out, "%.*s", (int)(slash - path), path);
}

enum sg_err
sg_dry_file(const char *path, bool fresh)
{
    char folder[SG_OS_PATH];

    if (!folder_of(path, folder))
        return SG_ERR_FULL;
    if (is_folder(path) || (fresh && sg_os_file_exists(path)))
        return SG_ERR_EXISTS;
    if (!is_folder(folder))
        return SG_ERR_NOT_FOUND;
    return access(folder, W_OK | X_OK) == 0 ? SG_OK : SG_ERR_IO;
}

enum sg_err
sg_dry_folder(const char *path)
{
    char at[SG_OS_PATH], above[SG_OS_PATH];

    if (path[0] == '\0' || !sg_os_file_path(at, "%s", path))
        return SG_ERR_FULL;
    while (!sg_os_file_exists(at)) { // it would be made, and those above it
        if (!folder_of(at, above) || strcmp(at, above) == 0)
            return SG_ERR_NOT_FOUND;
        memcpy(at, above, sizeof at);
    }
    if (!is_folder(at))
        return SG_ERR_EXISTS;
    return access(at, W_OK | X_OK) == 0 ? SG_OK : SG_ERR_IO;
}

const Sgpb__SignedRoster *
sg_dry_roster(struct sg_gate_call *call, const Sgpb__Roster **doc)
{
    Sgpb__Envelope envelope = SGPB__ENVELOPE__INIT;
    Sgpb__RosterGet get = SGPB__ROSTER_GET__INIT;
    void *outer = NULL, *inner = NULL;

    envelope.body_case = SGPB__ENVELOPE__BODY_ROSTER_GET;
    envelope.roster_get = &get;
    const Sgpb__Envelope *answer =
        sg_gate_call_ask(call, &envelope, SGPB__ENVELOPE__BODY_ROSTER);
    if (answer == NULL)
        return NULL;
    if (sg_codec_unpack(&sgpb__signed_roster__descriptor,
                        sg_codec_slice(answer->roster->signed_), call->arena,
                        &outer) != SG_OK ||
        sg_codec_unpack(&sgpb__roster__descriptor,
                        sg_codec_slice(((Sgpb__SignedRoster *)outer)->roster),
                        call->arena, &inner) != SG_OK) {
        sg_gate_call_fault(call, SG_ERR_PEER_PROTO, NULL);
        return NULL;
    }
    *doc = inner;
    return outer;
}

static bool
has_role(const Sgpb__Participant *who, const char *role)
{
    for (size_t i = 0; i < who->n_keys; i++) {
        for (size_t k = 0; k < who->keys[i]->n_roles; k++) {
            if (strcmp(who->keys[i]->roles[k], role) == 0)
                return true;
        }
    }
    return false;
}

// As the gate would say it, of all keys of the home together.
static void
say_rights(struct sg_gate_call *call, const Sgpb__Participant *who,
           const char *role)
{
    struct statgate_result *r = &call->result;
    char held[sizeof r->sentence] = "";

    for (size_t i = 0; who != NULL && i < who->n_keys; i++) {
        for (size_t k = 0; k < who->keys[i]->n_roles; k++) {
            const char *one = who->keys[i]->roles[k];
            size_t len = strlen(held);
            if (strstr(held, one) == NULL)
                (void)snprintf(held + len, sizeof held - len, "%s%s",
                               len == 0 ? "" : ", ", one);
        }
    }
    sg_gate_call_fault(call, SG_ERR_PEER_RIGHTS, "roles");
    (void)snprintf(
        r->sentence, sizeof r->sentence, "%s: %s is needed, it has %.*s",
        sg_err_sentence(SG_ERR_PEER_RIGHTS), role, (int)sizeof r->sentence / 2,
        held[0] == '\0' ? "none" : held);
}

const Sgpb__Participant *
sg_dry_may(struct sg_gate_call *call, const char *role)
{
    const Sgpb__Roster *doc = NULL;

    if (sg_dry_roster(call, &doc) == NULL)
        return NULL;
    const Sgpb__Participant *who = NULL;
    for (size_t i = 0; i < doc->n_participants && who == NULL; i++) {
        if (strcmp(doc->participants[i]->id, call->participant) == 0)
            who = doc->participants[i];
    }
    if (who != NULL && has_role(who, role))
        return who;
    say_rights(call, who, role);
    return NULL;
}
