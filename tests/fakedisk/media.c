/* SPDX-License-Identifier: MIT */

/*
 * media_type and mime_type by extension.  The service looks at the extension first and only then
 * at the MIME type (application/octet-stream becomes "data", text becomes "text", anything else
 * "unknown").  Rows marked "seen" were observed on the real Disk, .md as an archive included; the
 * others are what their class promises.  The classes compressed, data and video are slow, but only
 * if the name says so: a file without an extension is stored as data and still uploads fast, and
 * for the extensions that merely fall through to data nobody has measured it (throttle_unlisted).
 */

#include <stdint.h>
#include <strings.h>

#include "media.h"
#include "util.h"

#define OCTETS "application/octet-stream"

static const struct media table[] = {
        /* compressed, seen */
        {"zip", "compressed", "application/zip", true},
        {"rar", "compressed", "application/x-rar", true},
        {"gz", "compressed", "application/x-gzip", true},
        {"tgz", "compressed", "application/x-gzip", true},
        {"7z", "compressed", "application/x-7z-compressed", true},
        {"deb", "compressed", "application/x-debian-package", true},
        {"lzma", "compressed", "application/x-lzma", true},
        {"md", "compressed", "text/plain", true},
        /* compressed, expected */
        {"tar", "compressed", "application/x-tar", true},
        {"bz2", "compressed", "application/x-bzip2", true},
        /* data, seen */
        {"db", "data", OCTETS, true},
        {"dat", "data", OCTETS, true},
        /* video, seen */
        {"mp4", "video", "video/mp4", true},
        {"avi", "video", "video/x-msvideo", true},
        {"3gp", "video", "video/3gpp", true},
        {"mov", "video", "video/quicktime", true},
        /* video, expected */
        {"mkv", "video", "video/x-matroska", true},
        {"webm", "video", "video/webm", true},
        {"wmv", "video", "video/x-ms-wmv", true},
        {"flv", "video", "video/x-flv", true},
        {"mpg", "video", "video/mpeg", true},
        {"mpeg", "video", "video/mpeg", true},
        {"m4v", "video", "video/x-m4v", true},
        /* fast classes, seen */
        {"json", "unknown", "application/json", false},
        {"xz", "unknown", "application/x-xz", false},
        {"cab", "unknown", "application/vnd.ms-cab-compressed", false},
        {"vb", "text", "text/plain", false},
        {"pbtxt", "text", "text/plain", false},
        {"gltf", "text", "text/plain", false},
        {"kml", "text", "text/xml", false},
        {"txt", "document", "text/plain", false},
        {"pdf", "document", "application/pdf", false},
        {"docx", "document",
         "application/vnd.openxmlformats-officedocument.wordprocessingml.document", false},
        {"pptx", "document",
         "application/vnd.openxmlformats-officedocument.presentationml.presentation", false},
        {"xlsx", "document", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
         false},
        {"csv", "spreadsheet", "text/csv", false},
        {"bin", "encoded", OCTETS, false},
        {"exe", "executable", "application/x-dosexec", false},
        {"com", "executable", "application/x-dosexec", false},
        {"prf", "settings", OCTETS, false},
        {"png", "image", "image/png", false},
        {"jpg", "image", "image/jpeg", false},
        /* fast classes, expected */
        {"jpeg", "image", "image/jpeg", false},
        {"gif", "image", "image/gif", false},
        {"svg", "image", "image/svg+xml", false},
        {"webp", "image", "image/webp", false},
        {"doc", "document", "application/msword", false},
        {"odt", "document", "application/vnd.oasis.opendocument.text", false},
        {"rtf", "document", "text/rtf", false},
        {"ods", "spreadsheet", "application/vnd.oasis.opendocument.spreadsheet", false},
        {"log", "text", "text/plain", false},
        {"xml", "text", "text/xml", false},
        {"html", "web", "text/html", false},
        {"css", "web", "text/css", false},
        {"c", "development", "text/x-c", false},
        {"h", "development", "text/x-c", false},
        {"py", "development", "text/x-python", false},
        {"js", "development", "text/javascript", false},
        {"mp3", "audio", "audio/mpeg", false},
        {"ogg", "audio", "audio/ogg", false},
        {"flac", "audio", "audio/flac", false},
        {"wav", "audio", "audio/x-wav", false},
        {"epub", "book", "application/epub+zip", false},
        {"fb2", "book", "text/xml", false},
        {"bak", "backup", OCTETS, false},
        {"tmp", "backup", OCTETS, false},
        {"iso", "diskimage", "application/x-iso9660-image", false},
        {"ttf", "font", "font/sfnt", false},
        {"swf", "flash", "application/x-shockwave-flash", false},
        {"gpg", "encoded", "application/pgp-encrypted", false},
};

static const struct media makefile = {"", "unknown", "text/x-makefile", false};
static const struct media no_extension = {"", "data", OCTETS, false};
static const struct media unlisted = {NULL, "data", OCTETS, false};

const struct media *media_of_name(const char *name, size_t n)
{
        const char *dot = memrchr(name, '.', n), *ext = dot ? dot + 1 : NULL;
        size_t len = ext ? n - (size_t)(ext - name) : 0;

        if (n == 8 && memcmp(name, "Makefile", 8) == 0)
                return &makefile;
        if (!dot || dot == name || len == 0)
                return &no_extension;
        for (size_t i = 0; i < ARRAY_SIZE(table); i++)
                if (strlen(table[i].ext) == len && strncasecmp(table[i].ext, ext, len) == 0)
                        return &table[i];
        return &unlisted;
}
