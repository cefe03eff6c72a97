-- The first schema. Column by column: what it holds, its unit, who writes it, when it is null.
--
-- Conventions of all tables:
--   times       BIGINT, microseconds since 1970-01-01T00:00:00Z, from the program's clock unless said otherwise
--   ids         TEXT, 26 characters (ULID) for our own ids, the remote's spelling for the remote's
--   documents   TEXT, JSON in the order of the public shape; never compared inside SQL unless said otherwise
--   flags       BOOLEAN, 0 or 1
-- Everything but `account_grant` and `lease` is written by commits only (see the header of src/store/mod.rs).

-- What identifies this store, and its counters. One row, made when the store is created.
CREATE TABLE store_meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1), -- always 1: there is no second row
    id          TEXT    NOT NULL,                    -- random, never changes; part of every link token
    epoch       BIGINT  NOT NULL CHECK (epoch >= 1), -- rises when a backup is restored
    hash_key    BLOB    NOT NULL CHECK (length(hash_key) = 32), -- key of the hashes of strangers' e-mails and phones
    last_marker BIGINT  NOT NULL,                    -- the greatest marker minted; only grows
    last_place  BIGINT  NOT NULL                     -- place of the newest change; only grows. A counter of our own and
                                                     -- not the database's sequence, so that places become visible in order
);

-- Persons and organizations. A deleted contact keeps its row.
CREATE TABLE contact (
    id           TEXT    NOT NULL PRIMARY KEY, -- chosen once, never reused
    kind         TEXT    NOT NULL CHECK (kind IN ('person', 'organization')), -- copied from the card
    card         TEXT    NOT NULL, -- JSON: what is known of it, in the public shape without the identity
    version      TEXT    NOT NULL, -- JSON: version vector, replicas in order; compared as text with link.settled
    name         TEXT    NOT NULL, -- copied from the card: the name to show; may be empty
    sort_key     TEXT    NOT NULL, -- from the card, folded: family name, given name; for lists in the order of names
    search       TEXT    NOT NULL, -- from the card, folded: name, e-mails, phones, notes, one per line
    phone_digits TEXT    NOT NULL, -- from the card: the digits of each phone, one per line
    organization TEXT,             -- from the card: contact.id of the person's organization; null when unknown
    owner        TEXT,             -- from the card: the owner's e-mail in small letters; null when nobody owns it
    created      BIGINT  NOT NULL, -- when it came into the store
    updated      BIGINT  NOT NULL, -- when it last changed
    deleted      BIGINT,           -- when it was deleted; null while it lives
    touched      TEXT    NOT NULL, -- JSON: when each field last changed in the store
    implicit     BOOLEAN NOT NULL CHECK (implicit IN (0, 1)), -- an organization that only a remote contact names
    newest       BIGINT  NOT NULL UNIQUE -- change.sequence of its newest change
);
CREATE INDEX contact_by_sort_key ON contact (sort_key, id);
CREATE INDEX contact_by_organization ON contact (organization, id) WHERE organization IS NOT NULL;
CREATE INDEX contact_by_owner ON contact (owner, id) WHERE owner IS NOT NULL;

-- Canonical e-mails, phones and names of living contacts, for finding twins. Replaced with each write of the contact.
CREATE TABLE contact_key (
    key     TEXT NOT NULL, -- kind of key, a colon, its canonical value
    contact TEXT NOT NULL REFERENCES contact (id),
    PRIMARY KEY (key, contact)
) WITHOUT ROWID;
CREATE INDEX contact_key_by_contact ON contact_key (contact);

-- Labels of contacts, deleted ones included. Replaced with each write of the contact.
CREATE TABLE contact_label (
    label   TEXT NOT NULL, -- as spelled in the card
    contact TEXT NOT NULL REFERENCES contact (id),
    PRIMARY KEY (label, contact)
) WITHOUT ROWID;
CREATE INDEX contact_label_by_contact ON contact_label (contact);

-- One row per committed edit of a contact, and per write of a run to a remote: history, undo and feed in one. The feed is
-- the rows of the store, found through contact.newest. Rows are never changed.
CREATE TABLE change (
    sequence  INTEGER PRIMARY KEY, -- place in the history, from store_meta.last_place
    contact   TEXT   NOT NULL REFERENCES contact (id),
    at        BIGINT NOT NULL, -- when
    actor     TEXT   NOT NULL, -- JSON: who
    run       TEXT,            -- run.id; null when no run did it. No reference: the run's row may be written later
    replica   TEXT,            -- the remote that was written to; null for an edit of the store
    remote    TEXT,            -- the remote record; null with replica
    action    TEXT   NOT NULL CHECK (action IN ('created', 'edited', 'deleted', 'restored', 'joined', 'left', 'unlinked')),
    fields    TEXT   NOT NULL, -- JSON: which fields changed, before and after
    conflicts TEXT   NOT NULL, -- JSON: fields both sides had changed, with the values of both
    CHECK ((replica IS NULL) = (remote IS NULL))
);
CREATE INDEX change_by_contact ON change (contact, sequence);
CREATE INDEX change_by_run ON change (run, sequence) WHERE run IS NOT NULL;

-- One contact in one account.
CREATE TABLE link (
    id             TEXT    NOT NULL PRIMARY KEY, -- chosen once
    account        TEXT    NOT NULL, -- the account's name in the configuration. No reference: its row comes with its first run
    contact        TEXT REFERENCES contact (id), -- null only in state 'found'
    state          TEXT    NOT NULL CHECK (state IN ('found', 'need', 'creating', 'bound', 'unselected', 'dormant', 'gone')),
    remote         TEXT,             -- the remote record; null until there is one
    incarnation    BIGINT  NOT NULL CHECK (incarnation >= 0), -- which life of the remote record this is
    token          TEXT    NOT NULL, -- the name of link and incarnation that travels inside the remote record
    base_store     TEXT,             -- JSON: the card both sides last agreed on; null before the first agreement
    base_remote    TEXT,             -- JSON: the remote record of that moment, wire form; null with base_store
    base_marker    BIGINT,           -- newest write of ours the remote state descends from; null when none is known
    base_certainty TEXT CHECK (base_certainty IN ('answered', 'sent')), -- how base_remote is known; null with base_store
    base_agreed    TEXT,             -- JSON: base_remote without the edits that never went into the contact, wire form; null
                                     -- when there are none
    former         TEXT,             -- JSON: name and base of the record of the life before; null in the first life
    acked          TEXT    NOT NULL, -- JSON: the contact's version that the remote has seen
    settled        TEXT    NOT NULL, -- JSON: the contact's version last found to need no work; compared as text
    etag           TEXT,             -- the remote's mark of its newest state known; null until known
    remote_time    BIGINT,           -- the remote's own time of that state; null until known
    changed_at     BIGINT  NOT NULL, -- when we last learnt of any change of the remote record
    seen           TEXT,             -- JSON: what was observed and not settled yet; null when nothing differs from the base
    own_delete     BOOLEAN NOT NULL CHECK (own_delete IN (0, 1)), -- a delete of our own is, or was, on its way
    parked         TEXT,             -- JSON: why it is left alone; null while it is worked on
    map_revision   BIGINT  NOT NULL CHECK (map_revision >= 0), -- revision of the field map the base was made with
    wanted         TEXT    NOT NULL, -- JSON: the pairs' groups the store had put the record into when both sides last agreed
    leaving        TEXT    NOT NULL, -- JSON: the pairs' groups that a call of ours takes the record out of, outcome open
    restless       BOOLEAN NOT NULL CHECK (restless IN (0, 1)), -- needs a look whatever its contact's version is
    unsettled      BOOLEAN NOT NULL CHECK (unsettled IN (0, 1)), -- restless, or settled differs from contact.version;
                                                                 -- kept by the store at the end of each commit
    UNIQUE (contact, account),
    UNIQUE (account, remote),
    CHECK (contact IS NOT NULL OR state = 'found'),
    CHECK (remote IS NOT NULL OR state <> 'bound'),
    CHECK ((base_store IS NULL) = (base_remote IS NULL) AND (base_store IS NULL) = (base_certainty IS NULL)),
    CHECK (base_store IS NOT NULL OR base_marker IS NULL),
    CHECK (base_store IS NOT NULL OR base_agreed IS NULL)
);
CREATE INDEX link_unsettled ON link (account, id) WHERE unsettled;
CREATE INDEX link_parked ON link (account) WHERE parked IS NOT NULL;
CREATE INDEX link_by_state ON link (account, state);

-- Every token ever minted, those of former incarnations too. Rows go only with a dropped link.
CREATE TABLE link_token (
    token TEXT NOT NULL PRIMARY KEY,
    link  TEXT NOT NULL REFERENCES link (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX link_token_by_link ON link_token (link);

-- Remote ids that are no longer a link's own and still lead to it: former names, dead incarnations, reaped twins.
CREATE TABLE link_alias (
    account TEXT NOT NULL,
    remote  TEXT NOT NULL,
    link    TEXT NOT NULL REFERENCES link (id) ON DELETE CASCADE,
    PRIMARY KEY (account, remote)
) WITHOUT ROWID;
CREATE INDEX link_alias_by_link ON link_alias (link);

-- What is remembered of an account between runs. Written by its runs.
CREATE TABLE account (
    name             TEXT   NOT NULL PRIMARY KEY, -- its name in the configuration
    remote_user      TEXT,            -- the user the grant belongs to, as the remote names it; null before the first run
    contacts_cursor  TEXT,            -- JSON: where the stream of contacts was left; null when a full listing is due
    groups_cursor    TEXT,            -- JSON: where the stream of groups was left; null when a full listing is due
    full_begun       BIGINT,          -- when a full listing was last begun; null before the first
    feed_position    BIGINT NOT NULL CHECK (feed_position >= 0), -- change.sequence up to which the selection was evaluated
    settings         TEXT,            -- digest of what decides selection and map, as of the last run; null before the first
    clock_ahead_ms   BIGINT NOT NULL, -- milliseconds by which the remote's clock is ahead of ours; may be negative
    clock_set        TEXT,            -- JSON: when it was last noticed that our clock had been set ahead, and by how much; null: never
    budget           TEXT,            -- JSON: what was left of the request budget after the last run; null before the first
    proven_equal     BIGINT,          -- when both sides were last proven equal; null before the first time
    last_run         TEXT,            -- run.id of the last run; null before the first
    last_outcome     TEXT CHECK (last_outcome IN ('done', 'parked', 'failed', 'unreachable', 'no_consent')), -- null before the first run
    last_error       TEXT             -- one sentence; null after a good run
);

-- The remote groups of an account's configured pairs. Replaced together with the account.
CREATE TABLE pair_group (
    account    TEXT    NOT NULL REFERENCES account (name),
    place      BIGINT  NOT NULL CHECK (place >= 0), -- place in the list
    configured TEXT    NOT NULL, -- the group's name in the configuration
    remote     TEXT    NOT NULL, -- the group as the remote names it
    name       TEXT    NOT NULL, -- its name at the remote when last seen
    etag       TEXT,             -- the remote's mark of its revision; null for system groups
    members    BIGINT  NOT NULL CHECK (members >= 0), -- how many members the remote counts
    deleted    BOOLEAN NOT NULL CHECK (deleted IN (0, 1)), -- deleted at the remote
    PRIMARY KEY (account, place)
) WITHOUT ROWID;

-- The outbox: writes that were, or may have been, sent. At most one per link.
CREATE TABLE intent (
    marker      INTEGER PRIMARY KEY, -- the dot of the write
    link        TEXT   NOT NULL UNIQUE REFERENCES link (id),
    account     TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('create', 'update', 'delete')),
    etag        TEXT,            -- what the write is conditional on; null for a create
    remote_time BIGINT,          -- the remote's time of the state it was planned on; null for a create
    first_sent  BIGINT NOT NULL, -- when it was first sent, or committed to be
    last_sent   BIGINT NOT NULL  -- when it was last sent
);
CREATE INDEX intent_by_account ON intent (account, marker);

-- What each write of ours meant. Written with the intent, outlives it.
CREATE TABLE sent (
    marker  INTEGER PRIMARY KEY, -- the dot of the write
    link    TEXT   NOT NULL REFERENCES link (id),
    token   TEXT   NOT NULL, -- the link's token at that time
    kind    TEXT   NOT NULL CHECK (kind IN ('create', 'update', 'delete')),
    card    TEXT   NOT NULL, -- JSON: the contact's card at that time
    wire    TEXT   NOT NULL, -- JSON: the remote record as it should look afterwards, wire form
    mask    TEXT   NOT NULL, -- JSON: the fields the write replaces, as the remote names them
    version TEXT   NOT NULL, -- JSON: the contact's version at that time
    at      BIGINT NOT NULL  -- when
);
CREATE INDEX sent_by_link ON sent (link);

-- Remote records that were deleted and had never been linked.
CREATE TABLE ghost (
    account TEXT   NOT NULL,
    remote  TEXT   NOT NULL,
    seen    BIGINT NOT NULL, -- when the deletion was seen
    PRIMARY KEY (account, remote)
) WITHOUT ROWID;

-- Remote contacts outside every pair. Nothing readable of them is kept.
CREATE TABLE stranger (
    account TEXT NOT NULL,
    remote  TEXT NOT NULL,
    etag    TEXT, -- when last seen; null when the remote gave none
    PRIMARY KEY (account, remote)
) WITHOUT ROWID;

-- Keyed hashes of the e-mails and phones of strangers. Replaced together with the stranger.
CREATE TABLE stranger_key (
    account TEXT NOT NULL,
    key     BLOB NOT NULL,
    remote  TEXT NOT NULL,
    PRIMARY KEY (account, key, remote),
    FOREIGN KEY (account, remote) REFERENCES stranger (account, remote) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX stranger_key_by_stranger ON stranger_key (account, remote);

-- Conflicts that wait for a person, and those that were resolved.
CREATE TABLE conflict (
    id       TEXT   NOT NULL PRIMARY KEY, -- chosen once
    contact  TEXT   NOT NULL REFERENCES contact (id),
    link     TEXT   NOT NULL REFERENCES link (id), -- the link whose sides differ
    account  TEXT   NOT NULL,
    field    TEXT   NOT NULL, -- the field's public name
    base     TEXT   NOT NULL, -- JSON: what both had agreed on
    store    TEXT   NOT NULL, -- JSON: what the store has
    remote   TEXT   NOT NULL, -- JSON: what the remote has
    policy   TEXT   NOT NULL CHECK (policy IN ('newest', 'store', 'remote', 'manual')), -- the policy that held it
    since    BIGINT NOT NULL, -- since when
    resolved BIGINT           -- when it was resolved; null while it waits
);
CREATE INDEX conflict_waiting ON conflict (since, id) WHERE resolved IS NULL;
CREATE INDEX conflict_by_contact ON conflict (contact);
CREATE INDEX conflict_by_link ON conflict (link);

-- Harm that runs did lately, which the guards count together with what is about to be done. Written with the harm itself;
-- rows older than a day are removed at the end of the account's next run.
CREATE TABLE harm (
    account TEXT   NOT NULL,
    harm    TEXT   NOT NULL, -- the kind, see src/domain/harm.rs
    contact TEXT   NOT NULL, -- contact.id; of the same harm to the same contact only the last one is kept
    let_by  TEXT   NOT NULL CHECK (let_by IN ('guard', 'person')), -- who let it happen; what a person let through does
                                                                   -- not count towards the limit
    at      BIGINT NOT NULL, -- when it was last done
    PRIMARY KEY (account, harm, contact, let_by)
) WITHOUT ROWID;

-- What runs did. Written when a run begins and when it ends.
CREATE TABLE run (
    id       TEXT   NOT NULL PRIMARY KEY,
    begun    BIGINT NOT NULL, -- when it began
    ended    BIGINT,          -- when it ended; null while it goes on, or when it was cut off
    accounts TEXT   NOT NULL  -- JSON: what it did, account by account
);
CREATE INDEX run_by_begun ON run (begun, id);

-- Who may work on an account. Rows are never deleted, so that the token never starts again.
CREATE TABLE lease (
    account TEXT   NOT NULL PRIMARY KEY,
    holder  TEXT,            -- who holds it; null when it was given back
    token   BIGINT NOT NULL CHECK (token >= 1), -- grows with each acquisition
    expires BIGINT NOT NULL  -- when it ends unless renewed
);

-- OAuth grants, sealed; the key is kept outside the database. Written by the login and by each renewal.
CREATE TABLE account_grant (
    account TEXT   NOT NULL PRIMARY KEY,
    sealed  BLOB   NOT NULL, -- see src/store/grant.rs
    stored  BIGINT NOT NULL  -- when
);
