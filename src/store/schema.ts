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
`, `
ALTER TABLE link ADD COLUMN file TEXT;

CREATE TABLE conversation (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL,
  network TEXT NOT NULL,
  contact TEXT NOT NULL,
  desk TEXT NOT NULL,
  place TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('new', 'claimed', 'waiting', 'snoozed', 'done')),
  owner TEXT,
  claim INTEGER NOT NULL,
  due_at INTEGER,
  data TEXT NOT NULL,
  CHECK ((owner IS NOT NULL) OR state <> 'claimed'),
  UNIQUE (address, network, contact),
  UNIQUE (network, place)
) STRICT;
CREATE INDEX conversation_contact ON conversation (network, contact);
CREATE INDEX conversation_desk ON conversation (desk, state, id);
CREATE INDEX conversation_due ON conversation (due_at) WHERE due_at IS NOT NULL;

CREATE TABLE entry (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  journal INTEGER NOT NULL REFERENCES journal (seq),
  at INTEGER NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('contact', 'team', 'note', 'automatic')),
  who TEXT NOT NULL,
  text TEXT NOT NULL,
  content TEXT NOT NULL,
  network TEXT NOT NULL,
  key TEXT NOT NULL,
  held INTEGER NOT NULL CHECK (held IN (0, 1)),
  project TEXT
) STRICT;
CREATE INDEX entry_conversation ON entry (conversation, id);
CREATE INDEX entry_journal ON entry (journal);
CREATE INDEX entry_key ON entry (network, key);
CREATE INDEX entry_project ON entry (project) WHERE project IS NOT NULL;

CREATE TABLE automatic (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  conversation INTEGER NOT NULL REFERENCES conversation (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  kind TEXT NOT NULL,
  at INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX automatic_conversation ON automatic (conversation, at);
CREATE INDEX automatic_address ON automatic (address, at);

CREATE TABLE logbook (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  address TEXT NOT NULL,
  conversation INTEGER,
  who TEXT NOT NULL,
  what TEXT NOT NULL,
  detail TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT;
CREATE INDEX logbook_address ON logbook (address, conversation, id);
CREATE TRIGGER logbook_stays BEFORE UPDATE ON logbook BEGIN SELECT RAISE(ABORT, 'the logbook is only written'); END;
CREATE TRIGGER logbook_keeps BEFORE DELETE ON logbook BEGIN SELECT RAISE(ABORT, 'the logbook is only written'); END;

CREATE TABLE consent (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  person TEXT NOT NULL,
  address TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('granted', 'withdrawn')),
  how TEXT NOT NULL,
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX consent_person ON consent (person, address, id);
CREATE TRIGGER consent_stays BEFORE UPDATE ON consent BEGIN SELECT RAISE(ABORT, 'the ledger is only written'); END;
CREATE TRIGGER consent_keeps BEFORE DELETE ON consent BEGIN SELECT RAISE(ABORT, 'the ledger is only written'); END;

CREATE TABLE off_duty (
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  since INTEGER NOT NULL,
  PRIMARY KEY (address, agent)
) STRICT, WITHOUT ROWID;

CREATE TABLE team_change (
  address TEXT NOT NULL,
  network TEXT NOT NULL,
  person TEXT NOT NULL,
  name TEXT NOT NULL,
  added INTEGER NOT NULL CHECK (added IN (0, 1)),
  PRIMARY KEY (address, network, person)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE outbox ADD COLUMN conversation INTEGER;
`, `
ALTER TABLE quarantine ADD COLUMN mark TEXT;
ALTER TABLE quarantine ADD COLUMN dropped INTEGER NOT NULL DEFAULT 0 CHECK (dropped IN (0, 1));
CREATE UNIQUE INDEX quarantine_mark ON quarantine (network, mark);
`, `
ALTER TABLE outbox ADD COLUMN not_before INTEGER;
UPDATE conversation SET data = json_remove(data, '$.name') WHERE json_extract(data, '$.name') GLOB '+[0-9]*…[0-9]*';
`, `
ALTER TABLE journal ADD COLUMN desk TEXT;
UPDATE journal SET desk = (SELECT address FROM entry JOIN conversation ON conversation.id = entry.conversation WHERE entry.journal = seq);
CREATE INDEX journal_desk ON journal (desk, accepted_at) WHERE desk IS NOT NULL;
ALTER TABLE conversation ADD COLUMN touched_at INTEGER NOT NULL DEFAULT 0;
UPDATE conversation SET touched_at = max(coalesce(json_extract(data, '$.openedAt'), 0), coalesce(json_extract(data, '$.heardAt'), 0),
  coalesce(json_extract(data, '$.saidAt'), 0));
ALTER TABLE logbook ADD COLUMN seal TEXT;
`, `
ALTER TABLE entry ADD COLUMN sent_by INTEGER;
ALTER TABLE entry ADD COLUMN signature TEXT;
`, `
ALTER TABLE journal ADD COLUMN corrects TEXT;
UPDATE journal SET corrects = json_extract(arrival, '$.of') WHERE json_extract(arrival, '$.kind') = 'edit';
CREATE INDEX journal_corrects ON journal (network, corrects) WHERE corrects IS NOT NULL;
`, `
UPDATE journal SET arrival = json_set(json_remove(arrival, '$.aside'), '$.inThread', json('true')) WHERE json_extract(arrival, '$.aside');
UPDATE outbox SET delivery = json_set(json_remove(delivery, '$.action.aside'), '$.action.addressee', json_extract(delivery, '$.action.aside'))
  WHERE json_extract(delivery, '$.action.aside') IS NOT NULL;
`, `
UPDATE journal SET arrival = json_set(arrival, '$.content.style', 'quiet') WHERE json_extract(arrival, '$.content.style') = 'notice';
UPDATE outbox SET delivery = json_set(delivery, '$.action.content.style', 'quiet') WHERE json_extract(delivery, '$.action.content.style') = 'notice';
UPDATE entry SET content = json_set(content, '$.style', 'quiet') WHERE json_extract(content, '$.style') = 'notice';
`, `
UPDATE conversation SET data = json_set(json_remove(data, '$.desk'), '$.handledBy', desk);
`, `
UPDATE journal SET corrects = json_extract(arrival, '$.of') WHERE json_extract(arrival, '$.kind') = 'deletion';
`, `
CREATE TABLE reaction (
  id INTEGER PRIMARY KEY,
  message INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
  person TEXT NOT NULL,
  emoji TEXT NOT NULL,
  arrival INTEGER NOT NULL REFERENCES journal (seq) ON DELETE CASCADE,
  UNIQUE (message, person, emoji)
) STRICT;
CREATE INDEX reaction_arrival ON reaction (arrival);
`, `
ALTER TABLE journal ADD COLUMN removed INTEGER NOT NULL DEFAULT 0 CHECK (removed IN (0, 1));
`, `
CREATE TABLE vault (
  owner TEXT NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (owner, key)
) STRICT, WITHOUT ROWID;
`, `
CREATE INDEX journal_ends ON journal (seq) WHERE json_extract(arrival, '$.content.ends') IS NOT NULL;
`, `
CREATE INDEX entry_sent_by ON entry (sent_by) WHERE sent_by IS NOT NULL;
ALTER TABLE early_receipt ADD COLUMN because TEXT;
`, `
CREATE TABLE tally (
  hour INTEGER NOT NULL,
  whose TEXT NOT NULL,
  name TEXT NOT NULL,
  what TEXT NOT NULL,
  network TEXT NOT NULL,
  detail TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (hour, whose, name, what, network, detail)
) STRICT, WITHOUT ROWID;
CREATE INDEX tally_label ON tally (whose, name, detail, count) WHERE what = 'label';
`, `
CREATE INDEX journal_thread ON journal (network, place, json_extract(arrival, '$.thread[0]')) WHERE json_extract(arrival, '$.thread[0]') IS NOT NULL;
`, `
CREATE TABLE erased (
  mark TEXT PRIMARY KEY,
  at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
DROP TRIGGER consent_keeps;
CREATE TRIGGER consent_keeps BEFORE DELETE ON consent WHEN NOT EXISTS (SELECT 1 FROM memory WHERE owner = 'erasing')
  BEGIN SELECT RAISE(ABORT, 'the ledger is only written, but for somebody who is erased'); END;
`, `
CREATE TABLE login (
  address TEXT NOT NULL,
  agent TEXT NOT NULL,
  digest TEXT NOT NULL UNIQUE,
  until INTEGER NOT NULL,
  PRIMARY KEY (address, agent)
) STRICT, WITHOUT ROWID;
`, `
ALTER TABLE reaction ADD COLUMN pieces TEXT NOT NULL DEFAULT '[]';
`, `
ALTER TABLE conversation ADD COLUMN answered INTEGER AS (NOT json_extract(data, '$.awaits'));
ALTER TABLE conversation ADD COLUMN heard_at INTEGER AS (coalesce(json_extract(data, '$.heardAt'), json_extract(data, '$.openedAt'), 0));
CREATE INDEX conversation_turn ON conversation (desk, answered, heard_at, id) WHERE state <> 'done';
CREATE INDEX outbox_ended ON outbox (state, id) WHERE state IN ('failed', 'unknown');
CREATE INDEX outbox_ended_age ON outbox (state, network, queued_at) WHERE state IN ('failed', 'unknown');
CREATE TABLE ended (
  network TEXT NOT NULL,
  state TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (network, state)
) STRICT, WITHOUT ROWID;
INSERT INTO ended SELECT network, state, count(*) FROM outbox WHERE state IN ('failed', 'unknown') GROUP BY network, state;
CREATE TRIGGER outbox_begins AFTER INSERT ON outbox WHEN new.state IN ('failed', 'unknown') BEGIN
  INSERT INTO ended VALUES (new.network, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER outbox_ends AFTER UPDATE OF state ON outbox WHEN new.state IN ('failed', 'unknown') BEGIN
  INSERT INTO ended VALUES (new.network, new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1; END;
CREATE TRIGGER outbox_ends_no_more AFTER UPDATE OF state ON outbox WHEN old.state IN ('failed', 'unknown') BEGIN
  UPDATE ended SET count = count - 1 WHERE network = old.network AND state = old.state; END;
CREATE TRIGGER outbox_forgets AFTER DELETE ON outbox WHEN old.state IN ('failed', 'unknown') BEGIN
  UPDATE ended SET count = count - 1 WHERE network = old.network AND state = old.state; END;
`, `
UPDATE OR IGNORE reaction SET person = (SELECT network || ' ' || json_extract(arrival, '$.sender.address') FROM journal WHERE seq = reaction.arrival)
  WHERE (SELECT json_extract(arrival, '$.sender.vouched') FROM journal WHERE seq = reaction.arrival);
`]
