-- SPDX-License-Identifier: MIT
--
-- The snapshot of ydsync.  To look into it:  sqlite3 -readonly state.db 'SELECT * FROM readable'
--
-- It is a cache: whatever happens to it, ydsync finds out anew what stands in the cloud.  Rows are
-- not to be changed by hand: each carries a checksum, `sum`, over all of its values (lib/store/
-- sum.h), and meta counts them ("store.tally"), so that no damage is taken for knowledge.
--
-- Paths are BLOBs in which the byte 00 stands where a path has its '/'.  Then the order in which
-- SQLite keeps them is tree order, a folder right before what is in it, and reading the whole tree
-- is one pass over one table.  What is below the folder K lies between K||00 and K||01.

PRAGMA application_id = 0x79647379; -- "ydsy"
PRAGMA user_version = 2;

-- Small facts.  Names that begin with "store." belong to the store itself.
CREATE TABLE meta (
        name  TEXT    NOT NULL PRIMARY KEY,
        value TEXT    NOT NULL,
        sum   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What stands in the cloud because ydsync put it there or recognised it.
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

-- Small after every verification, however large the tree is.
CREATE INDEX entry_unverified ON entry (key) WHERE unverified = 1;

-- Uploads that are under way, or were when ydsync ended.
CREATE TABLE intent (
        wire    TEXT    NOT NULL PRIMARY KEY, -- the name it goes up under, in the folder of key
        key     BLOB    NOT NULL,             -- the file it is for
        size    INTEGER NOT NULL CHECK (size >= 0),
        when_ms INTEGER NOT NULL,             -- since 1970
        sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was about to change in the cloud under a thing's own name, and is not known to have changed:
-- written before the request, deleted by the commit that knows what became of it.  (Since version 2.)
CREATE TABLE doubt (
        key     BLOB    NOT NULL PRIMARY KEY,
        kind    INTEGER NOT NULL CHECK (kind IN (0, 1, 2)), -- what it becomes: nothing, file, folder
        looked  INTEGER NOT NULL CHECK (looked IN (0, 1)),  -- and that has not settled it
        size    INTEGER NOT NULL CHECK (size >= 0),
        when_ms INTEGER NOT NULL,                           -- of the request, since 1970
        md5     BLOB    CHECK (length(md5) = 16),           -- of a file
        sum     INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What a listing of the cloud has shown.
CREATE TABLE remote (
        key  BLOB    NOT NULL PRIMARY KEY,
        kind INTEGER NOT NULL CHECK (kind IN (1, 2)),
        size INTEGER NOT NULL CHECK (size >= 0),
        md5  BLOB    CHECK (length(md5) = 16),
        sum  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For people.  (replace() does not find a 00 byte, hence the recursion.)
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
