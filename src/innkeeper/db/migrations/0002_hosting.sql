-- Apps, builds, releases, servers, rooms and the ports they hold.
-- Times are microseconds since the epoch, truth is 0 or 1, objects are JSON text, *_sealed is encrypted.

create table apps (
    id text primary key,
    org_id text not null,
    name text not null,
    secret_sealed text not null,
    login text not null,
    service text,
    created_at bigint not null,
    created_by text not null,
    deleted_at bigint,
    deleted_by text
);
create unique index apps_name on apps (org_id, name) where deleted_at is null;

create table builds (
    key text primary key,
    org_id text not null,
    id text not null,
    kind text not null,
    tag text,
    state text not null,
    upload_bytes bigint not null,
    bytes bigint not null,
    content_hash text,
    detail text not null,
    command text,
    created_at bigint not null,
    created_by text not null,
    started_at bigint,
    finished_at bigint,
    deleted_at bigint,
    until bigint
);
create unique index builds_id on builds (org_id, id);
create index builds_until on builds (until) where until is not null;

create table releases (
    id text primary key,
    app_id text not null references apps (id),
    number bigint not null,
    build_key text not null references builds (key),
    build_id text not null,
    build_tag text,
    tag text,
    fleet_id text,
    seats bigint not null,
    cpu double precision not null,
    memory_mb double precision not null,
    gpu double precision,
    ports text not null,
    env_sealed text not null,
    idle_rule bigint not null,
    created_at bigint not null,
    created_by text not null
);
create unique index releases_newest on releases (app_id, number);
create index releases_build on releases (build_key);

create table servers (
    id text primary key,
    app_id text not null references apps (id),
    release_id text not null references releases (id),
    location text not null,
    state text not null,
    accepting bigint not null,
    seats bigint not null,
    taken bigint not null,
    cause text not null,
    host_id text,
    address text,
    ports text not null,
    handle text not null,
    room_id text,
    stop_why text,
    stop_reason text,
    exit_reason text,
    created_at bigint not null,
    placed_at bigint,
    booted_at bigint,
    ready_at bigint,
    stopping_at bigint,
    ended_at bigint,
    idle_since bigint,
    until bigint,
    output_gone bigint not null default 0
);
create index servers_open on servers (release_id, location, accepting, taken);
create index servers_state on servers (state, created_at);
create index servers_app on servers (app_id, created_at);
create index servers_idle on servers (idle_since) where idle_since is not null;

create table rooms (
    id text primary key,
    app_id text not null,
    state text not null,
    location text not null,
    release_id text not null,
    config text,
    client_ips text,
    server_id text,
    stay_id text,
    seated_at bigint,
    left_at bigint,
    created_at bigint not null,
    ended_reason text
);
create index rooms_server on rooms (server_id);
create index rooms_left on rooms (left_at) where left_at is not null;

create table stays (
    id text primary key,
    room_id text not null,
    server_id text not null,
    seated_at bigint not null,
    left_at bigint not null
);
create index stays_room on stays (room_id);
create index stays_server on stays (server_id);

create table held_ports (
    host_id text not null,
    port bigint not null,
    server_id text not null,
    freed_at bigint,
    primary key (host_id, port)
);
create index held_ports_server on held_ports (server_id);

create table usage_samples (
    server_id text not null,
    at bigint not null,
    cpu_seconds double precision not null,
    memory_bytes bigint not null,
    connections bigint,
    egress_bytes bigint,
    primary key (server_id, at)
);
create index usage_samples_at on usage_samples (at);
