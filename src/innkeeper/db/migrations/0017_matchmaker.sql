-- Matchmakers: what they run (setups: three components as images, or a rulebook), players who wait (tickets), and the
-- matches that are made of them.

create table components (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    registry text not null,
    image text not null,
    tag text not null,
    login_sealed text,
    created_at bigint not null,
    changed_at bigint not null
);
create unique index components_name on components (org_id, name);

create table component_variables (
    id text primary key,
    component_id text not null references components (id),
    name text not null,
    value_sealed text not null,
    created_at bigint not null,
    changed_at bigint not null
);
create unique index component_variables_name on component_variables (component_id, name);

create table matchmakers (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    created_at bigint not null,
    changed_at bigint not null
);
create unique index matchmakers_name on matchmakers (org_id, name);

create table rulebooks (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    text_sealed text not null,
    rules_sealed text not null,
    created_at bigint not null,
    changed_at bigint not null
);
create unique index rulebooks_name on rulebooks (org_id, name);

create table setups (
    id text primary key,
    matchmaker_id text not null references matchmakers (id),
    name text not null,
    app_name text not null,
    label_name text not null,
    rulebook_id text references rulebooks (id),
    frontend_id text references components (id),
    director_id text references components (id),
    function_id text references components (id),
    created_at bigint not null,
    changed_at bigint not null
);
create unique index setups_name on setups (matchmaker_id, name);
create index setups_rulebook on setups (rulebook_id);

create table matches (
    id text primary key,
    matchmaker_id text not null,
    org_id text not null,
    profile text not null,
    app_name text not null,
    label_name text not null,
    port text not null,
    env_sealed text not null,
    tries bigint not null,
    server_id text,
    state text not null,
    reason text,
    created_at bigint not null,
    changed_at bigint not null
);
create index matches_state on matches (state, changed_at);

create table tickets (
    id text primary key,
    matchmaker_id text not null,
    profile text not null,
    player text not null,
    ip text not null,
    choices text not null,
    numbers text not null,
    state text not null,
    match_id text,
    address text,
    reason text,
    tries bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    changed_at bigint not null,
    kept bigint not null,
    forget_at bigint
);
create index tickets_waiting on tickets (matchmaker_id, state, profile, created_at);
create index tickets_match on tickets (match_id);
create index tickets_expire on tickets (state, expires_at);
create index tickets_forget on tickets (forget_at);

-- The servers of setups of three components: one row for each part that is to run.
create table programs (
    matchmaker_id text not null,
    part text not null,
    org_id text not null,
    app_name text not null,
    told text not null,
    starts bigint not null,
    failures bigint not null,
    server_id text,
    address text,
    reason text,
    started_at bigint not null,
    retry_at bigint,
    primary key (matchmaker_id, part)
);
