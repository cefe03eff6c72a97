-- Entries: deals, activities, notes and relations that hang on contacts; custom fields, labels and pipelines that contacts
-- and deals refer to by name; couples of contacts that are not the same. The conventions are those of 0001_init.sql.

-- A deleted entry keeps its row.
CREATE TABLE entry (
    id      TEXT   NOT NULL PRIMARY KEY, -- chosen once, never reused
    kind    TEXT   NOT NULL CHECK (kind IN ('deal', 'activity', 'note', 'relation', 'field', 'label', 'pipeline',
                                         'dismissal')),
                                         -- copied from the body
    body    TEXT   NOT NULL, -- JSON: what it says
    version TEXT   NOT NULL, -- JSON: version vector, replicas in order
    deal    TEXT REFERENCES entry (id),  -- from the body: the deal it hangs on; null when it hangs on none
    name    TEXT,            -- from the body: what only one living entry of the kind may have; null for kinds without
    created BIGINT NOT NULL, -- when it came into the store
    updated BIGINT NOT NULL, -- when it last changed
    deleted BIGINT           -- when it was deleted; null while it lives
);
CREATE INDEX entry_by_kind ON entry (kind, id);
CREATE INDEX entry_by_deal ON entry (deal, id) WHERE deal IS NOT NULL;
CREATE UNIQUE INDEX entry_by_name ON entry (kind, name) WHERE name IS NOT NULL AND deleted IS NULL;

-- The contacts that entries hang on. Replaced with each write of the entry.
CREATE TABLE entry_contact (
    contact TEXT NOT NULL REFERENCES contact (id),
    entry   TEXT NOT NULL REFERENCES entry (id),
    PRIMARY KEY (contact, entry)
) WITHOUT ROWID;
CREATE INDEX entry_contact_by_entry ON entry_contact (entry);

-- One row per committed edit of an entry. Rows are never changed.
CREATE TABLE entry_change (
    sequence INTEGER PRIMARY KEY, -- place in the history, from store_meta.last_place; shared with the table change
    entry    TEXT   NOT NULL REFERENCES entry (id),
    at       BIGINT NOT NULL, -- when
    actor    TEXT   NOT NULL, -- JSON: who
    run      TEXT,            -- the id under which it can be taken back with others; null when it stands alone
    action   TEXT   NOT NULL CHECK (action IN ('created', 'edited', 'deleted', 'restored')),
    before   TEXT,            -- JSON: what the entry said before; null when it was created
    after    TEXT   NOT NULL  -- JSON: what it says since
);
CREATE INDEX entry_change_by_entry ON entry_change (entry, sequence);
CREATE INDEX entry_change_by_run ON entry_change (run, sequence) WHERE run IS NOT NULL;

-- The contacts whose history a change of an entry belongs to: those it hung on before, and those it hangs on since.
CREATE TABLE entry_change_contact (
    contact  TEXT    NOT NULL REFERENCES contact (id),
    sequence INTEGER NOT NULL REFERENCES entry_change (sequence),
    PRIMARY KEY (contact, sequence)
) WITHOUT ROWID;
