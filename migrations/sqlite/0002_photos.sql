-- Photos: their bytes, and what each link knows of them. The conventions are those of 0001_init.sql.

-- The bytes of photos, under the digest that cards name. Written with the card that names it first, never changed and
-- never removed: the history may lead back to any of them.
CREATE TABLE photo (
    digest BLOB NOT NULL PRIMARY KEY CHECK (length(digest) = 32), -- SHA-256 of the bytes
    bytes  BLOB NOT NULL
);

ALTER TABLE contact ADD COLUMN photo TEXT; -- from the card: the digest of the photo as the card spells it; null without one

ALTER TABLE link ADD COLUMN photo TEXT;        -- JSON: what is known of the photo on either side; null when nothing is
ALTER TABLE link ADD COLUMN photo_agreed TEXT; -- copied from photo: the digest that the contact's photo had when both
                                               -- sides last agreed; null for no photo
ALTER TABLE link ADD COLUMN photo_restless BOOLEAN NOT NULL DEFAULT 0 CHECK (photo_restless IN (0, 1)); -- bound, and the
                                               -- remote's photo needs a look whatever the contact's is
ALTER TABLE link ADD COLUMN photo_due BOOLEAN NOT NULL DEFAULT 0 CHECK (photo_due IN (0, 1)); -- photo_restless, or bound
                                               -- and photo_agreed differs from contact.photo; kept by the store at the
                                               -- end of each commit
CREATE INDEX link_photo_due ON link (account, id) WHERE photo_due;
