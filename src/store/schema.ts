/**
 * The tables, as numbered migrations, each run in one transaction. A released migration is never changed, only followed by another.
 *
 * | state | journal | outbox  | means                                    | on restart                                    |
 * |-------|---------|---------|------------------------------------------|-----------------------------------------------|
 * | S0    | –       | –       | not ours; the source still owns it       | nothing                                       |
 * | S1    | row     | waiting | accepted, one row a destination          | deliver                                       |
 * | S2    | row     | sending | bytes may be out; attempt counted before | ask by the key or send again; or unknown      |
 * | S3    | row     | done    | delivered; remote ids in the same commit | nothing                                       |
 * | S4    | row     | failed  | given up; notice queued in the same commit | nothing                                     |
 * |       | row     | unknown | may have arrived; a person decides       | nothing                                       |
 */
export const MIGRATIONS: readonly string[] = [`
CREATE TABLE journal (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  network TEXT NOT NULL,
  key TEXT NOT NULL,
  place TEXT NOT NULL,
  sender TEXT,
  arrival TEXT NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('routed', 'unrouted')),
  accepted_at INTEGER NOT NULL,
  UNIQUE (network, key)
) STRICT;
CREATE INDEX journal_place ON journal (network, place, seq);
CREATE INDEX journal_unrouted ON journal (seq) WHERE outcome = 'unrouted';

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  journal INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
  network TEXT NOT NULL,
  place TEXT NOT NULL,
  delivery TEXT NOT NULL,
  notice INTEGER NOT NULL CHECK (notice IN (0, 1)),
  state TEXT NOT NULL CHECK (state IN ('waiting', 'sending', 'done', 'failed', 'unknown')),
  attempt INTEGER NOT NULL DEFAULT 0,
  crashes INTEGER NOT NULL DEFAULT 0,
  reason TEXT,
  queued_at INTEGER NOT NULL,
  settled_at INTEGER
) STRICT;
CREATE INDEX outbox_open ON outbox (state, network, place, id) WHERE state <> 'done';
CREATE INDEX outbox_journal ON outbox (journal);

CREATE TABLE remote (
  network TEXT NOT NULL,
  place TEXT NOT NULL,
  id TEXT NOT NULL,
  outbox INTEGER NOT NULL REFERENCES outbox (id) ON DELETE CASCADE,
  part INTEGER NOT NULL,
  outcome TEXT CHECK (outcome IN ('delivered', 'failed')),
  PRIMARY KEY (network, place, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX remote_outbox ON remote (outbox, part);

CREATE TABLE early_receipt (
  network TEXT NOT NULL,
  place TEXT NOT NULL,
  id TEXT NOT NULL,
  outcome TEXT NOT NULL,
  detail TEXT,
  at INTEGER NOT NULL,
  PRIMARY KEY (network, place, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
  token TEXT PRIMARY KEY,
  journal INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX link_journal ON link (journal);

CREATE TABLE blocked (
  person TEXT PRIMARY KEY,
  since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  network TEXT NOT NULL,
  raw TEXT NOT NULL,
  why TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;

CREATE TABLE memory (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
`]
