/* SPDX-License-Identifier: MIT */

/*
 * The table was gathered from recorded traffic and reports (names seen with their media_type, and
 * upload times by name).  What decides is the extension at the time the link is asked for:
 *
 *   - none at all is fast (a 90 MB file at once; .avi 500 MB: 48 min with, 30 s without);
 *   - digits only (the parts of a split archive) is fast;
 *   - an extension the service does not know makes it look at the MIME type, and
 *     application/octet-stream counts as data: probably slow, so UNSURE, and treated as slow since
 *     a needless disguise costs one call and a needless slow upload costs hours.
 */

#include "lib/core/disguise.h"

#include "lib/base/str.h"

#include <string.h>
#include <strings.h>

/*
 * Below this a straight upload at 128 KiB/s takes no longer (0.5 s) than the extra call, whose
 * usual answer time is about half a second.
 */
#define DISGUISE_GAINS_FROM (64 * 1024)

static const char disguise_prefix[] = "ydsync-upload-";

static const struct {
        const char *extension;
        enum disguise_speed speed;
} disguise_table[] = {
        /* compressed */
        {"zip", DISGUISE_SLOW}, {"rar", DISGUISE_SLOW}, {"gz", DISGUISE_SLOW},
        {"tgz", DISGUISE_SLOW}, {"7z", DISGUISE_SLOW},  {"deb", DISGUISE_SLOW},
        {"lzma", DISGUISE_SLOW}, {"md", DISGUISE_SLOW},
        /* data */
        {"db", DISGUISE_SLOW}, {"dat", DISGUISE_SLOW}, {"fasta", DISGUISE_SLOW},
        {"bed", DISGUISE_SLOW}, {"glb", DISGUISE_SLOW}, {"h5", DISGUISE_SLOW},
        {"weights", DISGUISE_SLOW}, {"pth", DISGUISE_SLOW}, {"joblib", DISGUISE_SLOW},
        /* video */
        {"mp4", DISGUISE_SLOW}, {"avi", DISGUISE_SLOW}, {"3gp", DISGUISE_SLOW},
        {"mov", DISGUISE_SLOW},
        /* document, text, unknown, encoded, executable, settings, image: full speed */
        {"txt", DISGUISE_FAST}, {"pdf", DISGUISE_FAST}, {"docx", DISGUISE_FAST},
        {"pptx", DISGUISE_FAST}, {"xlsx", DISGUISE_FAST}, {"vb", DISGUISE_FAST},
        {"pbtxt", DISGUISE_FAST}, {"gltf", DISGUISE_FAST}, {"kml", DISGUISE_FAST},
        {"json", DISGUISE_FAST}, {"xz", DISGUISE_FAST}, {"cab", DISGUISE_FAST},
        {"bin", DISGUISE_FAST}, {"exe", DISGUISE_FAST}, {"com", DISGUISE_FAST},
        {"prf", DISGUISE_FAST}, {"png", DISGUISE_FAST}, {"jpg", DISGUISE_FAST},
        {"jpeg", DISGUISE_FAST},
};

enum disguise_speed disguise_speed(const char *name)
{
        const char *slash = strrchr(name, '/');
        const char *dot = strrchr(slash ? slash : name, '.');

        if (!dot || dot[1] == '\0')
                return DISGUISE_FAST;
        if (strspn(dot + 1, "0123456789") == strlen(dot + 1))
                return DISGUISE_FAST;
        for (size_t i = 0; i < ARRAY_SIZE(disguise_table); i++)
                if (strcasecmp(dot + 1, disguise_table[i].extension) == 0)
                        return disguise_table[i].speed;
        return DISGUISE_UNSURE;
}

bool disguise_wanted(enum disguise_policy policy, const char *name, uint64_t size)
{
        switch (policy) {
        case DISGUISE_NEVER:
                return false;
        case DISGUISE_ALWAYS:
                return size > 0;
        case DISGUISE_AUTO:
                return size > DISGUISE_GAINS_FROM && disguise_speed(name) != DISGUISE_FAST;
        }
        return false;
}

void disguise_wire_name(char ret[DISGUISE_WIRE_LEN + 1], const uint8_t random[12])
{
        memcpy(ret, disguise_prefix, sizeof(disguise_prefix) - 1);
        str_hex(ret + sizeof(disguise_prefix) - 1, random, 12);
}

bool disguise_is_wire(const char *name)
{
        uint8_t bytes[12];

        return str_starts(name, disguise_prefix) && strlen(name) == DISGUISE_WIRE_LEN &&
               str_unhex(bytes, sizeof(bytes), name + sizeof(disguise_prefix) - 1);
}
