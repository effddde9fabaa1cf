-- Buckets of organisations, what is brought from there into servers before they start, and output that is kept there.

-- ``form`` is how output is written: text or ndjson.
create table storages (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    endpoint text not null,
    bucket text not null,
    key_id text not null,
    secret_sealed text not null,
    form text not null,
    created_at bigint not null,
    created_by text not null,
    changed_at bigint not null,
    unique (org_id, name)
);

create table pull_profiles (
    id text primary key,
    storage_id text not null references storages (id),
    name text not null,
    source text not null,
    kind text not null,
    destination text not null,
    created_at bigint not null,
    changed_at bigint not null,
    unique (storage_id, name)
);

-- The labels whose servers get it.
create table pull_links (
    profile_id text not null references pull_profiles (id),
    label_id text not null references labels (id),
    created_at bigint not null,
    primary key (profile_id, label_id)
);
create index pull_links_label on pull_links (label_id);

-- Output that is to be kept when its server has ended: asked for while the server lives. ``key`` is null until the first
-- attempt begins; ``storage_id`` may be one that was deleted.
create table saved_outputs (
    server_id text primary key,
    org_id text not null,
    storage_id text not null,
    state text not null,
    key text,
    attempts bigint not null default 0,
    next_at bigint,
    bytes bigint,
    error text,
    created_at bigint not null,
    ended_at bigint
);
create index saved_outputs_due on saved_outputs (next_at) where state = 'waiting';
create index saved_outputs_storage on saved_outputs (storage_id) where state = 'waiting';
