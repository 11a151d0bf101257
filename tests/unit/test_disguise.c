/* SPDX-License-Identifier: MIT */

#include "lib/core/disguise.h"

#include "lib/base/str.h"
#include "tests/unit/check.h"

int main(int argc, char **argv)
{
        return check_main(argc, argv);
}

struct row {
        const char *names; /* with blanks between them */
        enum disguise_speed want;
};

static void check_rows(const struct row *rows, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                _cleanup_(freep) char *copy = str_dup(rows[i].names);
                char *rest = copy, *name;

                while ((name = strsep(&rest, " ")))
                        if (disguise_speed(name) != rows[i].want)
                                check_fail("%s: %d, not %d", name, (int)disguise_speed(name),
                                           (int)rows[i].want);
        }
}

/* Row by row the table of media types that were seen, by the extension that was seen with them. */
TEST(what_was_measured)
{
        static const struct row rows[] = {
                /* compressed */
                {"a.zip a.rar a.gz a.tar.gz a.tgz a.7z a.deb a.tar.lzma a.md", DISGUISE_SLOW},
                /* data */
                {"a.db a.dat a.fasta a.bed a.glb a.h5 a.weights a.pth a.joblib", DISGUISE_SLOW},
                /* video */
                {"a.mp4 a.avi a.3gp a.mov", DISGUISE_SLOW},
                /* unknown */
                {"a.json a.xz a.tar.xz a.txt.xz a.img.xz a.cab Makefile", DISGUISE_FAST},
                /* text */
                {"a.vb a.pbtxt a.gltf a.kml", DISGUISE_FAST},
                /* document */
                {"a.txt a.pdf a.docx a.pptx a.xlsx", DISGUISE_FAST},
                /* spreadsheet at first, then data */
                {"a.csv", DISGUISE_UNSURE},
                /* encoded, executable, settings, image */
                {"a.bin a.exe a.com a.prf a.png a.jpg a.jpeg", DISGUISE_FAST},
                /* nobody has looked: audio, backup, book, disk images, fonts, web … */
                {"a.mp3 a.flac a.bak a.tmp a.epub a.c a.iso a.ttf a.html a.sqlite a.mkv a.zst",
                 DISGUISE_UNSURE},
        };

        check_rows(rows, ARRAY_SIZE(rows));
}

TEST(names_of_all_shapes)
{
        static const struct row rows[] = {
                /* no extension is fast, whatever the service makes of it later */
                {"a README a. a.b. . .. ...", DISGUISE_FAST},
                /* the last one counts */
                {"a.zip.txt a.mp4.pdf", DISGUISE_FAST},
                {"a.txt.zip", DISGUISE_SLOW},
                /* parts of a split archive */
                {"a.tar.gz.001 a.zip.1 a.7z.12345", DISGUISE_FAST},
                {"a.z01 a.1a", DISGUISE_UNSURE},
                {"a.ZIP a.Mp4 a.TaR.gZ", DISGUISE_SLOW},
                {"a.TXT", DISGUISE_FAST},
                {".zip x/.zip", DISGUISE_SLOW},
                {".bashrc", DISGUISE_UNSURE},
                /* a folder's dot is not the file's */
                {"a.zip/b a.b/c.d/e x.mp4/README", DISGUISE_FAST},
                {"a.txt/b.zip", DISGUISE_SLOW},
                {"a.zi a.zipp a.\xd0\xb0", DISGUISE_UNSURE},
                {"", DISGUISE_FAST},
        };

        check_rows(rows, ARRAY_SIZE(rows));
        check_eq(disguise_speed("a.zip "), DISGUISE_UNSURE);
}

TEST(what_goes_up_in_disguise)
{
        static const struct {
                enum disguise_policy policy;
                const char *name;
                uint64_t size;
                bool want;
        } rows[] = {
                {DISGUISE_AUTO, "a.zip", 65537, true},
                {DISGUISE_AUTO, "a.zip", 65536, false}, /* half a second, as a call takes */
                {DISGUISE_AUTO, "a.zip", 0, false},
                {DISGUISE_AUTO, "a.zip", UINT64_MAX, true},
                {DISGUISE_AUTO, "a.odd", 65537, true},
                {DISGUISE_AUTO, "a.txt", UINT64_MAX, false},
                {DISGUISE_AUTO, "a", UINT64_MAX, false},
                {DISGUISE_AUTO, "d.zip/a", 1 << 30, false},
                {DISGUISE_ALWAYS, "a.txt", 1, true},
                {DISGUISE_ALWAYS, "a.zip", 0, false},
                {DISGUISE_NEVER, "a.zip", UINT64_MAX, false},
        };

        for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
                if (disguise_wanted(rows[i].policy, rows[i].name, rows[i].size) != rows[i].want)
                        check_fail("row %zu", i);
}

TEST(wire_names)
{
        static const uint8_t random[12] = {0x00, 0x01, 0x23, 0x45, 0x67, 0x89,
                                           0xab, 0xcd, 0xef, 0xff, 0x80, 0x7f};
        static const char *const others[] = {
                "", "a", "ydsync-upload-", "ydsync-upload-000123456789abcdefff807",
                "ydsync-upload-000123456789abcdefff807ff", "ydsync-upload-000123456789abcdefff80xf",
                "ydsync-upload-000123456789abcdefff80 f", "Ydsync-upload-000123456789abcdefff807f",
                "xydsync-upload-00123456789abcdefff807f", "ydsync-upload-000123456789abcdefff8/7f",
                "ydsync-upload-000123456789abcdefff807f.zip",
                "d/ydsync-upload-000123456789abcdefff807f",
        };
        char wire[DISGUISE_WIRE_LEN + 1];

        disguise_wire_name(wire, random);
        check_str(wire, "ydsync-upload-000123456789abcdefff807f");
        check_eq(strlen(wire), DISGUISE_WIRE_LEN);
        check(disguise_is_wire(wire));
        check_eq(disguise_speed(wire), DISGUISE_FAST);
        for (size_t i = 0; i < ARRAY_SIZE(others); i++)
                if (disguise_is_wire(others[i]))
                        check_fail("%s is none", others[i]);
}
