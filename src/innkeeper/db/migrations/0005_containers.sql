-- Builds that run as containers, hosts that were added while Innkeeper ran, and what this house calls itself.

alter table builds add column image text;
alter table builds add column architecture text;
alter table builds add column source text;
alter table builds add column login_sealed text;

-- ``spec`` is the JSON of a host that was added by command, null for one that the settings name.
create table hosts (
    id text primary key,
    spec text,
    draining bigint not null default 0,
    added_at bigint not null
);

-- At most one row: the name that containers and images of this house carry.
create table house (
    one bigint primary key check (one = 1),
    id text not null
);
