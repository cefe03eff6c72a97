-- What people have said about whether a contact and a remote record are the same. One row per couple; the last word
-- counts. Written at the command line, and by runs when a record goes by another name.
CREATE TABLE answer (
    account TEXT    NOT NULL,
    contact TEXT    NOT NULL REFERENCES contact (id),
    remote  TEXT    NOT NULL, -- the record as the remote named it when it was asked about, or as it has been called since
    same    BOOLEAN NOT NULL CHECK (same IN (0, 1)), -- 1: they are the same; 0: they are not, and are never linked
    at      BIGINT  NOT NULL, -- when it was said, in microseconds since 1970-01-01T00:00:00Z
    PRIMARY KEY (account, contact, remote)
) WITHOUT ROWID;
CREATE INDEX answer_by_contact ON answer (contact);
