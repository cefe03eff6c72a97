-- What is remembered of records that were edited while nothing went into the store.

-- JSON: base_remote without the edits that never went into the contact, wire form; null when there are none.
ALTER TABLE link ADD COLUMN base_agreed TEXT CHECK (base_store IS NOT NULL OR base_agreed IS NULL);
