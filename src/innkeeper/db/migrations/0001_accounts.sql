-- Who may use the house: organisations, their people, their tokens, and what was changed by whom.
-- Times are microseconds since the epoch. Grants are a role's name or scopes with blanks between them.

create table orgs (
    id text primary key,
    name text not null,
    created_at bigint not null,
    memory_mb bigint not null,
    connections bigint not null,
    log_hours bigint not null,
    cloud_baseline bigint not null,
    server_hours double precision,
    cpus double precision,
    cpu_hours_a_month double precision
);

-- At most one row: the organisation that the first start made. Two first starts at once cannot both insert it.
create table founding (
    one bigint primary key check (one = 1),
    org_id text not null references orgs (id)
);

-- People are known by their e-mail address, in lower case.
create table users (
    email text primary key,
    created_at bigint not null
);

create table members (
    org_id text not null references orgs (id),
    email text not null references users (email),
    grants text not null,
    invited_by text not null,
    invited_at bigint not null,
    joined_at bigint not null,
    primary key (org_id, email)
);

create index members_by_email on members (email);

-- Invitations that wait for an answer. The invited person need not be known yet.
create table invites (
    org_id text not null references orgs (id),
    email text not null,
    grants text not null,
    invited_by text not null,
    created_at bigint not null,
    primary key (org_id, email)
);

create index invites_by_email on invites (email);

-- Only the hash of a token is kept.
create table org_tokens (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    secret_hash text not null unique,
    last_four text not null,
    grants text not null,
    created_by text not null references users (email),
    created_at bigint not null,
    revoked_at bigint
);

create index org_tokens_by_org on org_tokens (org_id, created_at);

-- A revoked token gives its name back, so that a token can be replaced under the same name.
create unique index org_tokens_active_name on org_tokens (org_id, name) where revoked_at is null;

create table audit (
    id text primary key,
    at bigint not null,
    org_id text not null,
    who text not null,
    verb text not null,
    subject text not null,
    detail text not null
);

create index audit_by_org on audit (org_id, at);
