-- Who is in which group, and stores that were put back from a backup. The conventions are those of 0001_init.sql.

ALTER TABLE link ADD COLUMN member_of TEXT NOT NULL DEFAULT '[]'; -- JSON: the groups that the record was in when it was
                                                                  -- last seen
CREATE INDEX link_by_groups ON link (account, member_of, id) WHERE member_of <> '[]';

ALTER TABLE pair_group ADD COLUMN outsiders BIGINT; -- how many members no link accounts for; null before the first comparison

-- Groups are listed whole in every run.
ALTER TABLE account DROP COLUMN groups_cursor;

ALTER TABLE account ADD COLUMN restored BOOLEAN NOT NULL DEFAULT 0 CHECK (restored IN (0, 1)); -- the store was put back from
                                                                  -- a backup, and no whole run has followed yet
