-- Filters that were saved under a name. Written at the command line. The conventions are those of 0001_init.sql.
CREATE TABLE filter (
    name       TEXT   NOT NULL PRIMARY KEY, -- as it was typed; the configuration may name it
    definition TEXT   NOT NULL, -- JSON: what it selects, see src/domain/filter/mod.rs
    created    BIGINT NOT NULL, -- when it was made
    updated    BIGINT NOT NULL  -- when it was last changed
) WITHOUT ROWID;
