-- SPDX-License-Identifier: MIT
-- A snapshot as version 1 of the schema wrote it (`sqlite3 state.db .dump`), for test_store.c.
PRAGMA application_id = 0x79647379;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE meta (
        name  TEXT    NOT NULL PRIMARY KEY,
        value TEXT    NOT NULL,
        sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO meta VALUES('adopted','1',55288402);
INSERT INTO meta VALUES('binding','https://cloud-api.yandex.net disk:/B /home/me/B',-460430479);
INSERT INTO meta VALUES('store.tally','files=2 dirs=2 bytes=307 unverified=1 remote=1 intents=1 meta=2',1558093452);
CREATE TABLE entry (
        key        BLOB    NOT NULL PRIMARY KEY, -- below the watched folder, '/' as 00
        kind       INTEGER NOT NULL CHECK (kind IN (1, 2)),       -- 1 file, 2 folder
        unverified INTEGER NOT NULL CHECK (unverified IN (0, 1)), -- not yet compared
        racy       INTEGER NOT NULL CHECK (racy IN (0, 1)),       -- changed just before it was read
        size       INTEGER NOT NULL CHECK (size >= 0),            -- bytes
        mtime_ns   INTEGER NOT NULL,
        ctime_ns   INTEGER NOT NULL,
        ino        INTEGER NOT NULL,
        dev        INTEGER NOT NULL,
        md5        BLOB    CHECK (length(md5) = 16),              -- of the content, where known
        sum        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO entry VALUES(X'',2,0,0,0,1,2,3,0,NULL,-2041315264);
INSERT INTO entry VALUES(X'64',2,0,0,0,4,5,6,0,NULL,472527955);
INSERT INTO entry VALUES(X'6400d096d183d0ba',1,1,0,7,1700000000000000000,1700000001000000000,9,0,X'30313233343536373839616263646566',-1023889274);
INSERT INTO entry VALUES(X'66',1,0,1,300,-5,6,10,2049,X'66656463626139383736353433323130',-777218138);
CREATE TABLE intent (
        wire    TEXT    NOT NULL PRIMARY KEY, -- the name it goes up under, in the folder of key
        key     BLOB    NOT NULL,             -- the file it is for
        size    INTEGER NOT NULL CHECK (size >= 0),
        when_ms INTEGER NOT NULL,             -- since 1970
        sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO intent VALUES('ydsync-upload-0123456789abcdef01234567',X'64006269672e7a6970',70000,1700000000000,-970614024);
CREATE TABLE remote (
        key  BLOB    NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
        size INTEGER NOT NULL CHECK (size >= 0),
        md5  BLOB    CHECK (length(md5) = 16),
        sum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO remote VALUES(X'746865697273',1,8,NULL,-1805928994);
CREATE INDEX entry_unverified ON entry (key) WHERE unverified = 1;
CREATE VIEW readable AS
SELECT (WITH RECURSIVE piece (path, rest) AS (
                SELECT '', key
                UNION ALL
                SELECT path || CAST(substr(rest, 1, instr(rest, x'00') - 1) AS TEXT) || '/',
                       substr(rest, instr(rest, x'00') + 1)
                FROM piece WHERE instr(rest, x'00') > 0)
        SELECT path || CAST(rest AS TEXT) FROM piece WHERE instr(rest, x'00') = 0) AS path,
       CASE kind WHEN 1 THEN 'file' ELSE 'folder' END AS kind,
       size,
       datetime(mtime_ns / 1000000000, 'unixepoch') AS modified,
       lower(hex(md5)) AS md5,
       unverified
FROM entry ORDER BY key;
COMMIT;
