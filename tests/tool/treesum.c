/* SPDX-License-Identifier: MIT */

/*
 * treesum DIR (absolute): one line an entry, in tree order, in the format of the emulator's /_fake/tree.txt:
 *
 *      d NAME
 *      f SIZE MD5 NAME
 *
 * A backslash is doubled, control bytes are \xHH.  What ydsync does not mirror (links, pipes, names
 * that are not UTF-8 or hold control characters) is left out.  Written without any of ydsync's own
 * code, so that the two do not share a mistake.
 */

#include <fts.h>
#include <locale.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <wchar.h>

static int by_name(const FTSENT **a, const FTSENT **b)
{
        return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* Whether the C library, in a UTF-8 locale, takes the name for text without control characters. */
static bool fit(const char *name)
{
        mbstate_t state = {0};
        const char *s = name;

        for (const char *c = name; *c; c++)
                if ((unsigned char)*c < 0x20 || *c == 0x7f)
                        return false;
        return mbsrtowcs(NULL, &s, 0, &state) != (size_t)-1;
}

static void print_name(const char *s)
{
        for (; *s; s++)
                if (*s == '\\')
                        fputs("\\\\", stdout);
                else if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        printf("\\x%02x", (unsigned char)*s);
                else
                        putchar(*s);
        putchar('\n');
}

static void print_md5(FILE *f)
{
        static char buffer[1 << 18];
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned n;
        size_t got;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();

        EVP_DigestInit_ex(ctx, EVP_md5(), NULL);
        while ((got = fread(buffer, 1, sizeof(buffer), f)) > 0)
                EVP_DigestUpdate(ctx, buffer, got);
        EVP_DigestFinal_ex(ctx, digest, &n);
        for (unsigned i = 0; i < n; i++)
                printf("%02x", digest[i]);
        EVP_MD_CTX_free(ctx);
}

int main(int argc, char **argv)
{
        char *roots[] = {argc > 1 ? argv[1] : NULL, NULL};
        size_t root_len;
        FTS *fts;
        FTSENT *e;

        setlocale(LC_ALL, "C.UTF-8");
        if (!roots[0])
                return 64;
        fts = fts_open(roots, FTS_PHYSICAL, by_name);
        if (!fts) {
                perror(roots[0]);
                return 1;
        }
        root_len = strlen(roots[0]);
        while ((e = fts_read(fts))) {
                FILE *f;

                if (e->fts_level == 0)
                        continue;
                if (!fit(e->fts_name)) {
                        fts_set(fts, e, FTS_SKIP);
                        continue;
                }
                if (e->fts_info == FTS_D) {
                        fputs("d ", stdout);
                } else if (e->fts_info == FTS_F) {
                        f = fopen(e->fts_accpath, "rb");
                        if (!f)
                                continue;
                        printf("f %lld ", (long long)e->fts_statp->st_size);
                        print_md5(f);
                        fclose(f);
                        putchar(' ');
                } else {
                        continue;
                }
                print_name(e->fts_path + root_len + 1);
        }
        fts_close(fts);
        return 0;
}
