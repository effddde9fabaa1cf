-- Labels (names under which releases of an app follow one another), what was asked for of single servers beyond their
-- releases, their tags, and how rooms were asked for with their players.

alter table apps add column details text;
alter table apps add column changed_at bigint;

-- How many seats of its server a room takes.
alter table rooms add column places bigint not null default 1;

create table labels (
    id text primary key,
    app_id text not null references apps (id),
    number bigint not null,
    name text not null,
    release_id text not null references releases (id),
    plan text not null,
    said text not null,
    login_sealed text,
    active bigint not null,
    created_at bigint not null,
    created_by text not null,
    changed_at bigint not null,
    deleted_at bigint
);
create unique index labels_name on labels (app_id, name) where deleted_at is null;
create unique index labels_number on labels (app_id, number);
create index labels_release on labels (release_id);

-- The label that a release was made for; null: for none.
alter table releases add column label_id text;

create table orders (
    server_id text primary key references servers (id),
    org_id text not null,
    app_id text not null,
    label_id text,
    plan text not null,
    said text not null,
    env_sealed text not null,
    cpu double precision,
    memory_mb double precision,
    hosts text,
    hooks text,
    joinable bigint not null,
    restarts bigint not null default 0,
    crash text,
    closed_at bigint,
    created_at bigint not null
);
create index orders_org on orders (org_id, created_at);
create index orders_label on orders (label_id);
-- What servers are called by those who know twelve digits of them.
create index servers_short on servers (substr(id, 25));

create table server_tags (
    server_id text not null,
    name text not null,
    created_at bigint not null,
    changed_at bigint not null,
    primary key (server_id, name)
);
create index server_tags_name on server_tags (name);

create table bookings (
    room_id text primary key,
    org_id text not null,
    app_id text not null,
    label_id text,
    server_id text,
    custom_id text,
    kind text not null,
    players text not null,
    selectors text not null,
    hook text,
    reason text,
    created_at bigint not null
);
create unique index bookings_custom on bookings (server_id, custom_id) where custom_id is not null;
create index bookings_org on bookings (org_id, created_at);
