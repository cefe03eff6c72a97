-- Finding contacts by any part of what they say, and lists in the order of times. The conventions are those of 0001_init.sql.

-- What contacts can be found by. Written with the contact, rewritten only when it is something else. A row has a number of
-- its own, because those that the database gives to rows of contact do not outlive a copy.
CREATE TABLE contact_text (
    number       INTEGER PRIMARY KEY, -- chosen once; the row of contact_trigram
    contact      TEXT NOT NULL UNIQUE REFERENCES contact (id),
    text         TEXT NOT NULL, -- from the card, folded: every value a contact can be found by, one per line
    phone_digits TEXT NOT NULL  -- from the card: the digits of each phone, one per line
);

-- Which rows of contact_text have three characters in a row, in text or phone_digits. It keeps no texts, and not where in
-- them the characters stand: it narrows a search down to a few rows, which are then looked at.
CREATE VIRTUAL TABLE contact_trigram USING fts5 (
    text,
    content = '',
    contentless_delete = 1,
    detail = 'none',
    tokenize = 'trigram case_sensitive 1'
);

-- Their place is contact_text now.
ALTER TABLE contact DROP COLUMN search;
ALTER TABLE contact DROP COLUMN phone_digits;

-- By what contacts can be found, as of src/domain/search.rs, when contact_text was filled last; another number there and
-- all of it is filled anew when the store is opened. 0: not filled yet.
ALTER TABLE store_meta ADD COLUMN search_revision BIGINT NOT NULL DEFAULT 0;

CREATE INDEX contact_by_created ON contact (created, id);
CREATE INDEX contact_by_updated ON contact (updated, id);
