-- Comparisons of running servers for some players: which of them is nearest, kept until ``until`` for who asks.

-- ``ranked`` is a JSON list of the twelve last digits of their ids, the best first.
create table comparisons (
    id text primary key,
    org_id text not null,
    ranked text not null,
    partial bigint not null,
    created_at bigint not null,
    until bigint not null
);
create index comparisons_until on comparisons (until);
