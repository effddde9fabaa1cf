-- Fleets: what an organisation wants of hosts, whether it has it, and how full they were.

-- ``shape`` is the kind of machine that its owner named, in the door's own words.
create table fleets (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    shape text not null,
    threshold bigint not null,
    created_at bigint not null,
    created_by text not null,
    unique (org_id, name)
);

-- How many hosts there shall be at a location, where somebody has said so.
create table fleet_places (
    fleet_id text not null references fleets (id),
    location text not null,
    baseline bigint not null,
    changed_at bigint not null,
    primary key (fleet_id, location)
);

-- The last time that there were fewer. ``ended_at`` is null while there are.
create table fleet_troubles (
    fleet_id text not null references fleets (id),
    location text not null,
    text text not null,
    began_at bigint not null,
    ended_at bigint,
    primary key (fleet_id, location)
);

-- Processors each minute, of one location, or of all together where ``location`` is empty. ``overhead`` is null where
-- nobody can tell what the machines have.
create table fleet_samples (
    fleet_id text not null references fleets (id),
    location text not null,
    at bigint not null,
    metal double precision not null,
    cloud double precision not null,
    used double precision not null,
    overhead double precision,
    primary key (fleet_id, location, at)
);
create index fleet_samples_at on fleet_samples (at);
