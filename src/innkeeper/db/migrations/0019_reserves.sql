-- Reserves: labels whose servers are kept ready, the policies that say where and how many, and which servers these have
-- wanted.

create table reserves (
    id text primary key,
    org_id text not null references orgs (id),
    name text not null,
    enabled bigint not null,
    created_at bigint not null,
    created_by text not null,
    changed_at bigint not null,
    unique (org_id, name)
);

-- ``aim`` is where, as JSON in the house's words; ``said`` the same as its owner said it.
create table policies (
    id text primary key,
    reserve_id text not null references reserves (id),
    name text not null,
    enabled bigint not null,
    kind text not null,
    least bigint not null,
    most bigint not null,
    threshold double precision not null,
    aim text not null,
    said text not null,
    created_at bigint not null,
    changed_at bigint not null,
    unique (reserve_id, name)
);

create table reserve_labels (
    reserve_id text not null references reserves (id),
    label_id text not null references labels (id),
    created_at bigint not null,
    primary key (reserve_id, label_id)
);
create index reserve_labels_label on reserve_labels (label_id);

create table reserved_servers (
    server_id text primary key,
    policy_id text not null,
    label_id text not null,
    created_at bigint not null
);
create index reserved_servers_policy on reserved_servers (policy_id, label_id);
