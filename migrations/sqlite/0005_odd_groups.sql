-- Groups whose members were compared, and which left something open. The conventions are those of 0001_init.sql.

ALTER TABLE pair_group ADD COLUMN odd_since BIGINT; -- null when the last comparison left nothing open
