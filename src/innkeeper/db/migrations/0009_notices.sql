-- What happened, for those who asked to be told: by webhooks and by the stream of events.

-- Organisations that somebody listens for. ``until`` null: it has a webhook; else a stream was open lately.
create table listeners (
    org_id text primary key,
    until bigint
);

-- What happened, written in the transaction in which it happened, until it is passed on.
create table outbox (
    id [[serial]],
    kind text not null,
    subject text not null,
    at bigint not null,
    data text not null,
    app_id text,
    org_id text not null
);

-- What happened, in the order in which it is told. Each organisation counts its own, and ``number`` has no gaps.
-- ``topic`` is the word before the dot of the ``kind``; ``subject`` is the id of what it happened to.
create table events (
    id text primary key,
    org_id text not null,
    number bigint not null,
    app_id text,
    topic text not null,
    kind text not null,
    subject text not null,
    at bigint not null,
    data text not null
);
create unique index events_of_org on events (org_id, number);
create index events_at on events (at);

-- Where an organisation wants to be told. ``kinds`` is a JSON list such as ``["room.*", "build.failed"]``;
-- ``failures`` counts the attempts that failed since the last delivery.
create table webhooks (
    id text primary key,
    org_id text not null,
    app_id text,
    url text not null,
    kinds text not null,
    note text not null,
    secret_sealed text not null,
    old_secret_sealed text,
    old_until bigint,
    enabled bigint not null,
    disabled_why text,
    failures bigint not null,
    delivered_at bigint,
    created_at bigint not null,
    created_by text not null,
    deleted_at bigint
);
create index webhooks_of_org on webhooks (org_id) where deleted_at is null;

-- One event on its way to one webhook. Those of one subject go out one after the other, by ``place``: the first that
-- is pending has a time for its next attempt, those behind it have none.
create table deliveries (
    place [[serial]],
    id text not null unique,
    webhook_id text not null references webhooks (id),
    event_id text not null references events (id),
    subject text not null,
    state text not null,
    attempts bigint not null,
    next_at bigint,
    last_at bigint,
    last_status bigint,
    last_error text,
    created_at bigint not null,
    ended_at bigint,
    replay_of text
);
create index deliveries_due on deliveries (webhook_id, next_at) where next_at is not null;
create index deliveries_line on deliveries (webhook_id, subject, place) where state = 'pending';
create index deliveries_of on deliveries (webhook_id, place);
create index deliveries_of_event on deliveries (event_id);
create index deliveries_ended on deliveries (ended_at) where ended_at is not null;
