/* SPDX-License-Identifier: MIT */

#include "daemon/audit_impl.h"

#define AUDIT_SAY_MAX 1000 /* lines about single paths, an audit */

static bool audit_may_say(struct audit *a)
{
        return a->counts.said++ < AUDIT_SAY_MAX;
}

void audit_say_find(struct audit *a, const struct audit_find *find)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {
                .op = "audit", .path = find->key, .root = a->args.yadisk->root};

        if (a->args.found) {
                a->args.found(a->args.userdata, find);
                return;
        }
        if (!audit_may_say(a))
                return;
        if (*find->key)
                str_add_printable(&name, find->key);
        else
                str_adds(&name, a->args.yadisk->root);
        switch (find->kind) {
        case AUDIT_MISSING:
                about.reason = "missing";
                event_say(EVENT_DRIFT, &about,
                          find->known == KIND_DIR
                                  ? N_("folder %s is missing in the cloud; it is sent again")
                                  : N_("%s is missing in the cloud; it is sent again"),
                          str_z(&name));
                return;
        case AUDIT_CHANGED:
                about.reason = "changed";
                event_say(EVENT_DRIFT, &about,
                          "%s was changed in the cloud by somebody else; that goes to the Trash, and "
                          "it is sent again",
                          str_z(&name));
                return;
        case AUDIT_RETYPED:
                about.reason = "retyped";
                event_say(EVENT_DRIFT, &about,
                          find->known == KIND_DIR
                                  ? N_("something else stands in the cloud where folder %s was; it "
                                       "is sent again where that can be moved to the Trash")
                                  : N_("something else stands in the cloud where %s was; it is sent "
                                       "again where that can be moved to the Trash"),
                          str_z(&name));
                return;
        }
}

void audit_say_unlisted(struct audit *a, const char *key, const struct flow_end *end)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {.op = "audit",
                                    .path = key,
                                    .root = a->args.yadisk->root,
                                    .reason = end->reason ? end->reason : end->text,
                                    .http_status = end->status};

        if (!audit_may_say(a))
                return;
        str_add_printable(&name, *key ? key : a->args.yadisk->root);
        event_say(EVENT_AUDIT_UNLISTED, &about,
                  "the folder %s cannot be compared with the cloud: %s; the next audit tries again",
                  str_z(&name), end->text);
}

void audit_say_reread(struct audit *a, const struct entry *file, int result)
{
        _cleanup_(str_finish) struct str name = STR_NULL(65536);
        struct event_about about = {
                .op = "audit", .path = file->key, .root = a->args.yadisk->root};

        str_add_printable(&name, file->key);
        if (result == REREAD_OTHER) {
                if (audit_may_say(a))
                        event_say(EVENT_CONTENT_CHANGED, &about,
                                  "the content of %s is no longer what was sent, although its size "
                                  "and times are; it is compared again and sent",
                                  str_z(&name));
                return;
        }
        if (failures_add(a->args.failures, file, strerror(result), 0, audit_now(a)).say !=
            FAILURE_QUIET) {
                about.err = result;
                event_say(EVENT_UNREADABLE, &about,
                          "cannot read %s again: %s; what is in the cloud stays", str_z(&name),
                          strerror(result));
        }
}

void audit_say_alarm(const struct audit *a)
{
        event_say(EVENT_AUDIT_WAITS, NULL,
                  "the audit: %" PRIu64 " of %" PRIu64 " known entries are not in %s as they were "
                  "sent.  Nothing is done about it before a second look; if that shows the same, "
                  "they are sent again",
                  a->counts.lost + a->lost, a->known, a->args.yadisk->root);
}

void audit_say_end(const struct audit *a)
{
        const struct audit_counts *c = &a->counts;
        bool found = c->lost || c->other || c->remnants || c->unlisted || c->unreadable;

        if (c->said > AUDIT_SAY_MAX)
                event_say(EVENT_AND_MORE, NULL,
                          trn("and %" PRIu64 " more such entry", "and %" PRIu64 " more such entries",
                              c->said - AUDIT_SAY_MAX),
                          c->said - AUDIT_SAY_MAX);
        event_say(found ? EVENT_AUDIT_DONE : EVENT_AUDIT_CLEAN, NULL,
                  "audit done: %" PRIu64 " folders listed, %" PRIu64 " files read; %" PRIu64
                  " missing and %" PRIu64 " changed in the cloud (%" PRIu64
                  " entries to be sent again), %" PRIu64 " changed here unseen, %" PRIu64
                  " not known and left alone, %" PRIu64 " could not be compared",
                  c->folders, c->read, c->missing, c->changed, c->lost, c->other, c->foreign,
                  c->unlisted + c->unreadable);
}
