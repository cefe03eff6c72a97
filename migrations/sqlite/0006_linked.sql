-- That a contact and a record were found to be the same is in the history. The conventions are those of 0001_init.sql.

CREATE TABLE change_with_links (
    sequence  INTEGER PRIMARY KEY, -- place in the history, from store_meta.last_place
    contact   TEXT   NOT NULL REFERENCES contact (id),
    at        BIGINT NOT NULL, -- when
    actor     TEXT   NOT NULL, -- JSON: who
    run       TEXT,            -- run.id; null when no run did it. No reference: the run's row may be written later
    replica   TEXT,            -- the remote that was written to; null for an edit of the store
    remote    TEXT,            -- the remote record; null with replica
    action    TEXT   NOT NULL CHECK (action IN
        ('created', 'edited', 'deleted', 'restored', 'joined', 'left', 'linked', 'unlinked')),
    fields    TEXT   NOT NULL, -- JSON: which fields changed, before and after
    conflicts TEXT   NOT NULL, -- JSON: fields both sides had changed, with the values of both
    CHECK ((replica IS NULL) = (remote IS NULL))
);
INSERT INTO change_with_links SELECT sequence, contact, at, actor, run, replica, remote, action, fields, conflicts FROM change;
DROP TABLE change;
ALTER TABLE change_with_links RENAME TO change;
CREATE INDEX change_by_contact ON change (contact, sequence);
CREATE INDEX change_by_run ON change (run, sequence) WHERE run IS NOT NULL;
