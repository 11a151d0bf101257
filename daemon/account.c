/* SPDX-License-Identifier: MIT */

#include "daemon/account.h"

#include "lib/base/str.h"

#include <openssl/evp.h>
#include <string.h>

bool account_fingerprint(const char *token, char ret[ACCOUNT_FINGERPRINT_LEN + 1])
{
        unsigned char digest[ACCOUNT_FINGERPRINT_LEN / 2];

        if (!EVP_Digest(token, strlen(token), digest, NULL, EVP_sha256(), NULL))
                return false;
        str_hex(ret, digest, sizeof(digest));
        return true;
}
