-- What is remembered of records that were taken for gone and made anew.

-- JSON: name and base of the record of the life before; null in the first life.
ALTER TABLE link ADD COLUMN former TEXT;
